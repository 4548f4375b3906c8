"""Pages about attachments, comments, tasks."""

PAGES: tuple[type, ...] = ()
