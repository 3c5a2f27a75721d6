"""The many others: some hundred people whom nobody knows, from all over the world."""

import unicodedata
from collections.abc import Iterator

from portal.demo.cast import Invented
from portal.demo.chance import pick, share

# By where they are from: given names, family names, towns with their country.
REGIONS = (
    (
        "Amelia Oliver Isla Harry Freya Arthur Poppy Alfie Martha Callum Rhiannon Euan",
        "Ashworth Pemberton Hargreaves Whitlock Sutherland Pritchard Lockwood Fairbairn Kershaw",
        (("Leeds", "GB"), ("Glasgow", "GB"), ("Swansea", "GB"), ("Norwich", "GB")),
    ),
    (
        "Camille Théo Chloé Léo Manon Hugo Inès Jules Zoé Gaspard Élodie Rémi",
        "Lefèvre Moreau Garnier Chevalier Rousseau Bertrand Leclerc Fontaine Delacroix",
        (("Lyon", "FR"), ("Nantes", "FR"), ("Liège", "BE"), ("Genève", "CH")),
    ),
    (
        "Lukas Hannah Jonas Mia Felix Lena Moritz Klara Anton Greta Jürgen Käthe",
        "Schröder Köhler Brandt Vogel Lindner Weiß Hofmann Böhm Krüger Steinbach",
        (("Hamburg", "DE"), ("Leipzig", "DE"), ("Graz", "AT"), ("Zürich", "CH")),
    ),
    (
        "Lucía Mateo Sofía Diego Martina Álvaro Carmen Íñigo Noelia Joaquín Xiomara Raúl",
        "García-Peña Núñez Ibáñez Ordóñez Castaño Herrera Quintana Villanueva Muñoz",
        (("Sevilla", "ES"), ("Bogotá", "CO"), ("Ciudad de México", "MX"), ("Rosario", "AR")),
    ),
    (
        "Zofia Jakub Hanna Szymon Maja Wojciech Kateřina Ondřej Łucja Dušan Eliška Péter",
        "Kowalczyk Wiśniewska Dvořák Novotná Zieliński Horváth Šťastný Wójcik Krawiec",
        (("Kraków", "PL"), ("Brno", "CZ"), ("Bratislava", "SK"), ("Pécs", "HU")),
    ),
    (
        "Astrid Nils Saga Elias Ingrid Søren Maja Aksel Liv Øyvind Tuuli Jóhann",
        "Lindqvist Østergaard Haugen Nyström Bjørnstad Virtanen Mäkelä Solberg Åkesson",
        (("Göteborg", "SE"), ("Aarhus", "DK"), ("Bergen", "NO"), ("Tampere", "FI")),
    ),
    (
        "Олександр Марія Дмитро Соломія Тарас Оксана Богдан Ірина Назар Юлія",
        "Коваленко Мельник Бондар Ткачук Лисенко Гончар Савчук Поліщук",
        (("Київ", "UA"), ("Одеса", "UA"), ("Харків", "UA")),
    ),
    (
        "Νίκος Ελένη Γιώργος Δάφνη Κώστας Άννα Σπύρος Ζωή",
        "Παπαδάκης Γεωργίου Νικολαΐδης Βλάχος Μακρή Σταυρίδης",
        (("Αθήνα", "GR"), ("Πάτρα", "GR"), ("Λευκωσία", "CY")),
    ),
    (
        "Ayşe Mehmet Elif Emre Zeynep Çağrı Gülşen Barış Leyla Farid Nigar Rəşad",
        "Yılmaz Öztürk Şahin Aydın Çelik Məmmədova Kılıç Əliyev Doğan",
        (("İzmir", "TR"), ("Ankara", "TR"), ("Bakı", "AZ")),
    ),
    (
        "فاطمة يوسف ليلى عمر مريم حسن نور سامي",
        "الخطيب النجار العلي المصري حمدان شاهين",
        (("القاهرة", "EG"), ("عمّان", "JO"), ("بيروت", "LB")),
    ),
    (
        "Aarav Diya Vihaan Ananya Arjun Priya Rohan Meera Imran Sana Bilal Zara",
        "Sharma Chatterjee Iyer Venkataraman Qureshi Deshpande Nair Bhattacharya Malik",
        (("Pune", "IN"), ("Kochi", "IN"), ("Lahore", "PK"), ("Dhaka", "BD")),
    ),
    (
        "王小明 李秀英 张伟 陳怡君 林志豪 刘洋 黃雅婷 周杰",
        "",
        (("臺中", "TW"), ("上海", "CN"), ("成都", "CN")),
    ),
    (
        "佐藤美咲 鈴木大輔 高橋結衣 田中蓮 渡辺陽菜 김서연 이민준 박지우",
        "",
        (("大阪", "JP"), ("札幌", "JP"), ("부산", "KR")),
    ),
    (
        "Chidi Ngozi Emeka Adaeze Kwabena Akosua Tendai Rudo Wanjiru Kamau Amina Abebe",
        "Okafor Eze Nwosu Asante Owusu Moyo Chikwanha Mwangi Otieno Tesfaye Adébáyọ̀",
        (("Enugu", "NG"), ("Kumasi", "GH"), ("Harare", "ZW"), ("Nairobi", "KE")),
    ),
    (
        "Tama Aroha Wiremu Marama Kaia Koa Leilani Sione Mele Viliami",
        "Parata Ngata Tamihana Kahananui Tupou Fonoti Te-Rangi",
        (("Rotorua", "NZ"), ("Hilo", "US"), ("Apia", "WS")),
    ),
)
JOBS = (
    "Nurse", "Carpenter", "Teacher", "Electrician", "Baker", "Translator", "Bus driver",
    "Physiotherapist", "Gardener", "Archivist", "Welder", "Midwife", "Surveyor", "Tailor",
    "Veterinarian", "Sound engineer", "Optician", "Ferry captain", "Accountant", "Luthier",
)  # fmt: skip
PLACES = (
    "Northfold Care", "Harbour Co-operative", "Volta Lines", "City Library", "Kettle & Loaf",
    "Greenway Nursery", "Old Mill Workshop", "St Brannoc's School", "Riverside Clinic", "",
)  # fmt: skip
SLOW = "slowmail.example"  # whose messages come too late for a code of half a minute
DOMAINS = (
    *["brightmail.example"] * 9, *["post.example"] * 5, *["inbox.example"] * 3, *[SLOW] * 2,
    "mails.example", "northfold.example", "library.example", "harbour.example",
)  # fmt: skip


def people(count: int) -> Iterator[Invented]:
    """The first so many of them; their addresses are at domains like everybody's."""
    return (_person(number) for number in range(count))


def _person(number: int) -> Invented:
    given, family, towns = pick(REGIONS, "region", number)
    names = [pick(each.split(), "name", number, each) for each in (given, family) if each]
    town, country = pick(towns, "town", number)
    works = share("works", number) < 0.7
    return Invented(
        f"{_local(names)}{number:03}@{pick(DOMAINS, 'domain', number)}",
        " ".join(names),
        pick(JOBS, "job", number) if works else "",
        pick(PLACES, "place", number) if works else "",
        town,
        country,
    )


def _local(names: list[str]) -> str:
    """What could stand in front of the @: of names in other scripts, nothing but "person"."""
    parts = unicodedata.normalize("NFKD", ".".join(names)).encode("ascii", "ignore")
    bare = parts.decode().lower()
    is_name = bare.replace(".", "").replace("-", "").isalpha() and bare[:1] != "."
    return bare if is_name else "person"
