"""Two small documents of the kinds evidence takes, written without a library: a PDF and a Word file."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_STORED, ZipFile, ZipInfo

TITLE = "整改情况说明"
LINES = (
    "纪工委：",
    "根据交办要求，我单位对便民服务窗口重复收取证明一事作了核实。",
    "一、已停止收取没有依据的证明材料，涉及的十一位群众已逐一电话说明。",
    "二、窗口公示的办理指南已更换，旧版收回销毁。",
    "三、分管负责同志一周后到窗口查看，未再发现同类情况。",
    "特此说明。",
    "二〇二六年十二月四日",
)

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def write_documents(folder: Path) -> None:
    """Write `statement.pdf` and `statement.docx`, the same bytes on every run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statement.pdf").write_bytes(pdf(TITLE, LINES))
    write_docx(folder / "statement.docx", TITLE, LINES)


def pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """One A4 page. The font is one of the standard Chinese ones, which readers supply, so none is embedded."""
    text = _show(title, 20) + b"".join(_show(line, 12) for line in lines)
    content = b"BT 72 760 Td 28 TL " + text + b"ET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [6 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /FontDescriptor 7 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 5 >> >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
        b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    )
    return _assemble(bodies)


def _show(line: str, size: int) -> bytes:
    return b"/F1 %d Tf <%s> Tj T* " % (size, line.encode("utf-16-be").hex().encode())


def _assemble(bodies: tuple[bytes, ...]) -> bytes:
    file, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(bodies) + 1, len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(file)


def write_docx(path: Path, title: str, lines: tuple[str, ...]) -> None:
    """The three parts a Word file cannot do without; stored with a fixed date, so that bytes repeat."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in (title, *lines))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{MAIN_TYPE}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{paragraphs}<w:sectPr/></w:body></w:document>',
    }
    with ZipFile(path, "w", ZIP_STORED) as package:
        for name, body in parts.items():
            package.writestr(ZipInfo(name), XML + body)
