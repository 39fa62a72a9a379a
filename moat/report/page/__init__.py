"""A study as one page for a browser, complete in one file."""

from moat.report.page.html import page_of, write_page

__all__ = ["page_of", "write_page"]
