"""A study as one page for a browser: everything inlined, nothing fetched."""

from moat.report.page.html import page_of, write_page

__all__ = ["page_of", "write_page"]
