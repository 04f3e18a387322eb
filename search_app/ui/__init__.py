"""What the Streamlit page shows: functions that take data and return what the user did."""
