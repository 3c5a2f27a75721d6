"""Who the invented people are."""

from dataclasses import dataclass

DEMO = "demo@example.org"
STAFF = {
    "ruth.lund@example.org": "support",
    "ines@example.org": "admin",
    "kofi@example.org": "viewer",
}


@dataclass(frozen=True)
class Invented:
    """What one of them says of himself or herself."""

    email: str
    full_name: str
    job_title: str
    organisation: str
    city: str
    country: str
    bio: str = ""


CAST = (
    Invented(
        DEMO,
        "Sana Iqbal",
        "District nurse",
        "Northfold Care",
        "Leeds",
        "GB",
        "I visit people at home across north Leeds and train new colleagues in wound care.\n\n"
        "Away from work I restore old clocks.",
    ),
    Invented(
        "ruth.lund@example.org", "Ruth Lund", "Librarian", "Oslo folkebibliotek", "Oslo", "NO"
    ),
    Invented("jose@example.org", "José Ángel Núñez", "Luthier", "Taller Núñez", "Granada", "ES"),
    Invented(
        "mei@example.org", "林美玲", "Architect", "Tsai & Lin", "臺北", "TW", "山、水、木造建築。"
    ),
    Invented("amal@example.org", "أمل حداد", "Translator", "", "Amman", "JO", "أترجم الشعر."),
    Invented("olena@example.org", "Олена Шевченко", "Beekeeper", "Пасіка Шевченків", "Львів", "UA"),
    Invented("tunde@example.org", "Babatúndé Adéyẹmí", "Paediatrician", "LUTH", "Lagos", "NG"),
    Invented("freya@example.org", "Freya Þorsdóttir", "Volcanologist", "", "Reykjavík", "IS"),
    Invented(
        "kofi@example.org", "Kofi Mensah-Boateng", "Ferry pilot", "Volta Lines", "Accra", "GH"
    ),
    Invented("ines@example.org", "Inês Guimarães", "Potter", "Barro Vivo", "Évora", "PT"),
    Invented("x@example.org", "X", "", "", "", ""),
    Invented(
        "wolfeschlegel@example.org",
        "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff",
        "Typesetter of uncommonly long and winding names for newspapers",
        "The Philadelphia Compositors' Mutual Benevolent Association",
        "Llanfairpwllgwyngyll",
        "GB",
    ),
)
