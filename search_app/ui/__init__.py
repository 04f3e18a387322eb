"""Parts of the Streamlit page: functions that take data and return what the user did."""
