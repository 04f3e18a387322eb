"""What is written about a cut list beside its film: lists, chapters, subtitles, sheets, single clips."""
