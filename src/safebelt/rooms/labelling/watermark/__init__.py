"""水印 Watermarks: a keyed 64-bit id that stays in the content; it names a system or a record, never a person."""
