"""Files about a cut list beside its film: lists, chapters, subtitles, sheets, single clips."""
