"""JSON door to attachments, comments, tasks."""

API: tuple[type, ...] = ()
