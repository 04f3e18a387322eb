"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A law holds or not, however slow the machine is; how long a test may take is said by pytest's own timeout.
settings.register_profile("rushes", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rushes")
