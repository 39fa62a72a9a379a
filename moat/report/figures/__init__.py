"""The pictures of analyses, and their files; they read records and import no torch."""
