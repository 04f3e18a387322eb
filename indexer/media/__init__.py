"""The only code that touches media files: probe, decode and the ffmpeg program, in limited children."""
