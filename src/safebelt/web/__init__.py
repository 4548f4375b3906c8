"""The kit every page and API door is built with: layout, language, errors, forms, guard."""
