"""The floor of a PDF export: WeasyPrint alone, on pages that are given. Arguments: the style sheet, then pages."""

import sys
from pathlib import Path

from weasyprint import CSS, HTML

style = Path(sys.argv[1]).read_text("utf-8")
for page in map(Path, sys.argv[2:]):
    HTML(string=page.read_text("utf-8")).write_pdf(
        page.with_suffix(".pdf"), stylesheets=[CSS(string=style)], pdf_variant="pdf/ua-1"
    )
