"""The leads of the adversarial set: what vendors, news and the form say about eight companies that don't exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wish:
    """What a message says, and how a model may put it: a value, the sentence that says it, and true statements."""

    value: Any
    quote: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Company:
    """One lead. Vendors' values as they write them; `said` are short names by which a model calls the company."""

    name: str
    said: tuple[str, ...]
    industry: tuple[str, str]
    """As the vendor writes it, and as a model may."""
    headcount: Any
    country: tuple[str, str]
    """As the vendor writes it, and in English."""
    city: tuple[str, str]
    technologies: tuple[str, ...]
    funding: int
    stage: str
    revenue: Any
    founded: int
    title: tuple[str, str, str]
    """The title, its level and its department."""
    jobs: tuple[str, ...]
    roles: tuple[tuple[str, int, str], ...]
    """(role as a model says it, how many of the jobs are of it, plural)"""
    news: tuple[str, ...]
    launch: tuple[str, int]
    """The product, and which item of the news tells of it."""
    office: tuple[str, int]
    message: str
    use_case: Wish
    budget: Wish
    timeline: Wish
    competitor: Wish
    asks: tuple[str, ...]
    """What the message asks for, as a model says it."""
    description: str = ""
    form: dict[str, Any] = field(default_factory=dict)


COMPANIES = (
    Company(
        name="Halvorsen Robotics Inc.",
        said=("Halvorsen Robotics", "Halvorsen Robotics Inc.", "The company", "Halvorsen"),
        industry=("Industrial Automation", "manufacturing"),
        headcount=240,
        country=("US", "the United States"),
        city=("Austin", "Austin"),
        technologies=("Salesforce", "Marketo", "Snowflake", "GitHub", "Zendesk"),
        funding=48_000_000,
        stage="Series B",
        revenue=62_000_000,
        founded=2012,
        title=("VP of Marketing", "vp", "marketing"),
        jobs=("Controls Engineer", "Senior Software Engineer", "Account Executive", "Marketing Operations Manager"),
        roles=(("Controls Engineer", 1, "Controls Engineers"), ("Account Executive", 1, "Account Executives")),
        news=(
            "Halvorsen Robotics launched the PalletPilot X2, an autonomous palletising cell, in September 2026.",
            "Halvorsen Robotics opened a service office in Denver.",
            "The company postponed the release of its GripSense sensor line.",
        ),
        launch=("PalletPilot X2", 0),
        office=("Denver", 1),
        message=(
            "Hello, our team spends hours on manual lead routing and we want to automate it. We have an"
            " approved budget of"
            " $60,000 for this year. We would like to go live in Q1 2027. We are comparing you with LeanData"
            " and Chili"
            " Piper. Could you send pricing for 40 seats? We are not interested in consulting services."
        ),
        use_case=Wish(
            "automate lead routing",
            "our team spends hours on manual lead routing and we want to automate it",
            (
                "The prospect wants to automate lead routing.",
                "They are looking to automate their manual lead routing.",
                "The use case is automating manual lead routing.",
                "The sender's team wants to automate lead routing, which is manual today.",
                "The lead describes spending hours on manual lead routing.",
            ),
        ),
        budget=Wish(
            60_000,
            "We have an approved budget of $60,000 for this year.",
            (
                "The prospect has an approved budget of $60,000.",
                "A budget of $60,000 has been approved for this year.",
                "The budget is $60k.",
                "They state an approved budget of 60,000 US dollars.",
                "The lead's approved budget for this year is $60,000.",
            ),
        ),
        timeline=Wish(
            "Q1 2027",
            "We would like to go live in Q1 2027.",
            (
                "The prospect wants to go live in Q1 2027.",
                "They would like to go live in the first quarter of 2027.",
                "The target go-live is Q1 2027.",
                "The planned go-live date is in Q1 2027.",
                "They plan to go live next quarter.",
            ),
        ),
        competitor=Wish(
            ["LeanData", "Chili Piper"],
            "We are comparing you with LeanData and Chili Piper.",
            (
                "The prospect is comparing us with LeanData and Chili Piper.",
                "They are also evaluating LeanData and Chili Piper.",
                "LeanData and Chili Piper are being considered as alternatives.",
                "The lead names LeanData and Chili Piper as competing vendors.",
            ),
        ),
        asks=("pricing for 40 seats", "pricing"),
        form={"headcount": "250", "industry": "Robotics"},
    ),
    Company(
        name="Bergblick Maschinenbau GmbH",
        said=("Bergblick Maschinenbau", "Bergblick Maschinenbau GmbH", "Bergblick", "The company"),
        industry=("Maschinenbau", "mechanical engineering"),
        headcount="51-200 Mitarbeiter",
        country=("Deutschland", "Germany"),
        city=("München", "Munich"),
        technologies=("HubSpot", "SAP S/4HANA", "Microsoft 365", "Jira"),
        funding=3_500_000,
        stage="Seed",
        revenue="25 Mio. €",
        founded=1987,
        title=("Leiterin Vertrieb", "director", "sales"),
        jobs=("Konstrukteur (m/w/d)", "Vertriebsmitarbeiter Innendienst", "Servicetechniker"),
        roles=(("Servicetechniker", 1, "Servicetechniker"), ("Konstrukteur", 1, "Konstrukteure")),
        news=(
            "Bergblick stellt mit der FräsPro 500 eine neue Fräsmaschine vor.",
            "Bergblick eröffnet einen neuen Standort in Leipzig.",
        ),
        launch=("FräsPro 500", 0),
        office=("Leipzig", 1),
        message=(
            "Guten Tag, wir möchten unsere Angebotserstellung automatisieren. Unser Budget liegt bei 40.000 €."
            " Die Einführung"
            " soll bis Ende März 2027 erfolgen. Wir vergleichen Sie mit Pipedrive. Bitte senden Sie uns ein Angebot."
        ),
        use_case=Wish(
            "Angebotserstellung automatisieren",
            "wir möchten unsere Angebotserstellung automatisieren",
            (
                "The prospect wants to automate its Angebotserstellung.",
                "The use case is to automate the Angebotserstellung.",
            ),
        ),
        budget=Wish(
            "40.000 €",
            "Unser Budget liegt bei 40.000 €.",
            (
                "The budget is €40,000.",
                "The prospect has a budget of 40,000 euros.",
                "They mention a budget of EUR 40,000.",
            ),
        ),
        timeline=Wish(
            "by the end of March 2027",
            "Die Einführung soll bis Ende März 2027 erfolgen.",
            (
                "The rollout should be complete by the end of March 2027.",
                "They want to introduce the solution by end of March 2027.",
                "The implementation is planned by the end of March 2027.",
            ),
        ),
        competitor=Wish(
            "Pipedrive",
            "Wir vergleichen Sie mit Pipedrive.",
            (
                "The prospect is also comparing Pipedrive.",
                "They are evaluating Pipedrive as an alternative.",
                "Pipedrive is named as a competitor.",
            ),
        ),
        asks=("a quote", "pricing"),
        form={"country": "Deutschland"},
    ),
    Company(
        name="Lumora Health",
        said=("Lumora Health", "Lumora", "The company"),
        industry=("Health Care Technology", "healthcare"),
        headcount=1_180,
        country=("GB", "the United Kingdom"),
        city=("Manchester", "Manchester"),
        technologies=("Epic", "Tableau", "Okta", "Slack", "GitLab"),
        funding=120_500_000,
        stage="Series D",
        revenue="$100M-$250M",
        founded=2009,
        title=("Chief Information Officer", "c_level", "it"),
        jobs=("Data Scientist", "Data Scientist", "Clinical Product Manager", "Security Engineer", "Data Engineer"),
        roles=(("Data Scientist", 2, "Data Scientists"), ("Security Engineer", 1, "Security Engineers")),
        news=(
            "Lumora Health unveils TriageOne, an AI assistant for emergency rooms.",
            "Lumora Health expands to Dublin with a new office.",
            "Lumora has not yet announced a date for its CareLoop app.",
        ),
        launch=("TriageOne", 0),
        office=("Dublin", 1),
        message=(
            "We need a way to reduce no-shows across our clinics. Budget: £250k, signed off by our board. The"
            " project must"
            " start within 3 months. Right now we use Luma Health and want to replace it. Please book a demo"
            " with my team."
        ),
        use_case=Wish(
            "reduce no-shows across clinics",
            "We need a way to reduce no-shows across our clinics.",
            (
                "The prospect wants to reduce no-shows across its clinics.",
                "They need to reduce no-shows in their clinics.",
                "The goal is to lower no-shows across clinics.",
                "The lead is looking for a way to cut no-shows across their clinics.",
            ),
        ),
        budget=Wish(
            "£250,000",
            "Budget: £250k, signed off by our board.",
            (
                "The budget is £250,000 and has been signed off by the board.",
                "They have a budget of £250k, approved by their board.",
                "The prospect states a budget of GBP 250,000.",
                "A board-approved budget of £250k is available.",
            ),
        ),
        timeline=Wish(
            "within 3 months",
            "The project must start within 3 months.",
            (
                "The project must start within three months.",
                "They want to start in the next 3 months.",
                "The project is supposed to kick off within 3 months.",
                "The timeline is within 3 months.",
            ),
        ),
        competitor=Wish(
            "Luma Health",
            "Right now we use Luma Health and want to replace it.",
            (
                "The prospect currently uses Luma Health and wants to replace it.",
                "They want to replace Luma Health.",
                "Luma Health is the incumbent that they want to replace.",
                "They are looking to switch from Luma Health.",
            ),
        ),
        asks=("a demo", "a demo with the team"),
        form={"headcount": "1000-1500"},
    ),
    Company(
        name="Corsair & Vale Insurance",
        said=("Corsair & Vale Insurance", "Corsair & Vale", "The company"),
        industry=("Insurance", "insurance"),
        headcount="5,001-10,000",
        country=("CA", "Canada"),
        city=("Toronto", "Toronto"),
        technologies=("Guidewire", "Oracle Database", "ServiceNow", "Workday", "Splunk"),
        funding=0,
        stage="Publicly Traded",
        revenue=1_900_000_000,
        founded=1954,
        title=("Director of Claims Operations", "director", "operations"),
        jobs=("Claims Adjuster", "Actuary", "Claims Adjuster", "Java Developer", "Claims Adjuster"),
        roles=(("Claims Adjuster", 3, "Claims Adjusters"), ("Java Developer", 1, "Java Developers")),
        news=(
            "Corsair & Vale introduces FlexCover, a usage-based auto policy.",
            "The insurer is relocating its call centre to a new site in Halifax.",
        ),
        launch=("FlexCover", 0),
        office=("Halifax", 1),
        message=(
            "Our adjusters still retype data from scanned forms; we are looking to extract it automatically. No"
            " budget has been"
            " approved yet. A decision is due by the end of the year. We already have quotes from Hyperscience"
            " and ABBYY."
            " Can you call me next week?"
        ),
        use_case=Wish(
            "extract data from scanned forms automatically",
            "Our adjusters still retype data from scanned forms; we are looking to extract it automatically.",
            (
                "Adjusters retype data from scanned forms.",
                "The adjusters still retype data from scanned forms today.",
                "The lead says that its adjusters retype data from scanned forms.",
            ),
        ),
        budget=Wish(
            "none",
            "No budget has been approved yet.",
            (
                "No budget has been approved yet.",
                "The prospect does not have an approved budget yet.",
                "The budget is not approved yet.",
            ),
        ),
        timeline=Wish(
            "by the end of the year",
            "A decision is due by the end of the year.",
            (
                "A decision is due by the end of the year.",
                "They will decide by year-end.",
                "The decision is expected by the end of 2026.",
                "The prospect plans to decide by the end of this year.",
            ),
        ),
        competitor=Wish(
            ["Hyperscience", "ABBYY"],
            "We already have quotes from Hyperscience and ABBYY.",
            (
                "The prospect already has quotes from Hyperscience and ABBYY.",
                "They have obtained quotes from Hyperscience and ABBYY.",
                "Competing quotes from Hyperscience and ABBYY are on the table.",
            ),
        ),
        asks=("a call", "a call next week"),
    ),
    Company(
        name="Tidewater Logistics BV",
        said=("Tidewater Logistics", "Tidewater", "The company", "Tidewater Logistics BV"),
        industry=("Transportation/Trucking/Railroad", "logistics"),
        headcount=612,
        country=("Netherlands", "the Netherlands"),
        city=("Rotterdam", "Rotterdam"),
        technologies=("Microsoft Dynamics 365", "Power BI", "Azure", "Shopify"),
        funding=9_250_000,
        stage="Series A",
        revenue=84_300_000,
        founded=1999,
        title=("Head of Supply Chain", "director", "operations"),
        jobs=("Truck Dispatcher", "Warehouse Lead", "Data Analyst"),
        roles=(("Truck Dispatcher", 1, "Truck Dispatchers"), ("Data Analyst", 1, "Data Analysts")),
        news=(
            "Tidewater Logistics rolls out ColdTrack, a temperature tracking service for pharma shipments.",
            "Tidewater opens a warehouse in Antwerp.",
        ),
        launch=("ColdTrack", 0),
        office=("Antwerp", 1),
        message=(
            "We are after better visibility of our container shipments. We can spend between 80k and 120k"
            " euros. Implementation"
            " should start next quarter, not later than June 2027. Project44 is also on our shortlist, but"
            " FourKites is not."
        ),
        use_case=Wish(
            "visibility of container shipments",
            "We are after better visibility of our container shipments.",
            (
                "The prospect wants better visibility of its container shipments.",
                "They are looking for improved visibility of container shipments.",
                "The use case is visibility of container shipments.",
                "The lead needs more visibility into their container shipments.",
            ),
        ),
        budget=Wish(
            "€80,000-€120,000",
            "We can spend between 80k and 120k euros.",
            (
                "They can spend between €80k and €120k.",
                "The budget is between 80,000 and 120,000 euros.",
                "The prospect has a budget range of €80,000 to €120,000.",
            ),
        ),
        timeline=Wish(
            "next quarter",
            "Implementation should start next quarter, not later than June 2027.",
            (
                "Implementation should start next quarter.",
                "They want to begin the implementation next quarter.",
                "The planned start of the implementation is Q1 2027.",
            ),
        ),
        competitor=Wish(
            "Project44",
            "Project44 is also on our shortlist",
            (
                "Project44 is also on the prospect's shortlist.",
                "They have shortlisted Project44 as well.",
                "The lead is also considering Project44.",
            ),
        ),
        asks=(),
        form={"headcount": "600"},
    ),
    Company(
        name="Mistral Foods S.A.S.",
        said=("Mistral Foods", "Mistral Foods S.A.S.", "The company"),
        industry=("Food & Beverages", "food"),
        headcount=88,
        country=("FR", "France"),
        city=("Lyon", "Lyon"),
        technologies=("WooCommerce", "Mailchimp", "Google Analytics", "Stripe"),
        funding=2_100_000,
        stage="Pre-Seed",
        revenue=7_400_000,
        founded=2019,
        title=("Co-Founder & CEO", "c_level", "executive"),
        jobs=("Growth Marketer", "Plant Technician"),
        roles=(("Growth Marketer", 1, "Growth Marketers"), ("Plant Technician", 1, "Plant Technicians")),
        news=(
            "Mistral Foods released Verdure, a range of plant-based cheeses, on 14 October 2026.",
            "Mistral Foods grandit: its new office in Marseille opens in May.",
        ),
        launch=("Verdure", 0),
        office=("Marseille", 1),
        message=(
            "Hi! We'd love to cut our customer acquisition cost with better email campaigns. We've set aside"
            " 15k EUR. Ideally we"
            " would be up and running by 1 February 2027. Klaviyo is the other tool we are evaluating. Is there"
            " a free trial?"
        ),
        use_case=Wish(
            "cut customer acquisition cost with email campaigns",
            "We'd love to cut our customer acquisition cost with better email campaigns.",
            (
                "The prospect wants to cut its customer acquisition cost with better email campaigns.",
                "They would like to reduce customer acquisition cost through email campaigns.",
                "The goal is a lower customer acquisition cost through better email campaigns.",
            ),
        ),
        budget=Wish(
            "15000 EUR",
            "We've set aside 15k EUR.",
            (
                "They have set aside €15,000.",
                "The budget is EUR 15k.",
                "A budget of 15,000 euros has been set aside.",
                "The prospect has earmarked 15k EUR.",
            ),
        ),
        timeline=Wish(
            "1 February 2027",
            "Ideally we would be up and running by 1 February 2027.",
            (
                "They would like to be up and running by February 1, 2027.",
                "The prospect ideally wants to be up and running by 1 February 2027.",
                "The target date is 2027-02-01.",
            ),
        ),
        competitor=Wish(
            "Klaviyo",
            "Klaviyo is the other tool we are evaluating.",
            (
                "The prospect is also evaluating Klaviyo.",
                "Klaviyo is the other tool under evaluation.",
                "They are considering Klaviyo too.",
            ),
        ),
        asks=("a free trial", "a trial"),
        form={"country": "France"},
    ),
    Company(
        name="Quantel Semiconductors KK",
        said=("Quantel Semiconductors", "Quantel", "The company"),
        industry=("Semiconductors", "semiconductors"),
        headcount=3_420,
        country=("JP", "Japan"),
        city=("Osaka", "Osaka"),
        technologies=("Siemens NX", "Jenkins", "Confluence", "AWS"),
        funding=310_000_000,
        stage="Private Equity",
        revenue=742_000_000,
        founded=1978,
        title=("Procurement Manager", "manager", "procurement"),
        jobs=("Process Engineer", "Process Engineer", "Process Engineer", "Yield Analyst", "Sales Engineer"),
        roles=(("Process Engineer", 3, "Process Engineers"), ("Yield Analyst", 1, "Yield Analysts")),
        news=(
            "Quantel announces the QX-90 image sensor, now generally available.",
            "Quantel is building a new plant in Dresden.",
        ),
        launch=("QX-90", 0),
        office=("Dresden", 1),
        message=(
            "We evaluate platforms to track supplier quality. Our spending limit is USD 1.2 million for this"
            " project. A pilot should"
            " begin in January 2027. Ivalua did a demo for us last week; we ruled out Coupa. Please send a quotation."
        ),
        use_case=Wish(
            "track supplier quality",
            "We evaluate platforms to track supplier quality.",
            (
                "The prospect wants to track supplier quality.",
                "They are evaluating platforms to track supplier quality.",
                "The use case is tracking supplier quality.",
                "The lead needs a platform for tracking supplier quality.",
            ),
        ),
        budget=Wish(
            1_200_000,
            "Our spending limit is USD 1.2 million for this project.",
            (
                "The spending limit for the project is $1.2 million.",
                "The budget is up to USD 1.2M.",
                "They have a spending limit of $1,200,000 for this project.",
            ),
        ),
        timeline=Wish(
            "January 2027",
            "A pilot should begin in January 2027.",
            (
                "A pilot should begin in January 2027.",
                "They want to start a pilot in January 2027.",
                "The pilot is scheduled for January 2027.",
            ),
        ),
        competitor=Wish(
            "Ivalua",
            "Ivalua did a demo for us last week",
            (
                "Ivalua did a demo for the prospect last week.",
                "The prospect saw a demo from Ivalua last week.",
                "Ivalua, a competitor, gave them a demo.",
            ),
        ),
        asks=("a quote", "a quotation"),
    ),
    Company(
        name="Fjordkraft Solar AS",
        said=("Fjordkraft Solar", "Fjordkraft", "The company", "Fjordkraft Solar AS"),
        industry=("Renewables & Environment", "energy"),
        headcount="11-50",
        country=("Norway", "Norway"),
        city=("Bergen", "Bergen"),
        technologies=("Pipedrive", "Notion", "Twilio", "PostgreSQL"),
        funding=6_800_000,
        stage="Series A",
        revenue="$1M-$10M",
        founded=2017,
        title=("Software Engineer", "individual", "engineering"),
        jobs=("Solar Installer", "Solar Installer", "Customer Support Agent"),
        roles=(("Solar Installer", 2, "Solar Installers"), ("Customer Support Agent", 1, "Customer Support Agents")),
        news=(
            "Fjordkraft Solar debuts SunLedger, a billing app for shared rooftops.",
            "Fjordkraft Solar has a new branch in Trondheim.",
        ),
        launch=("SunLedger", 0),
        office=("Trondheim", 1),
        message=(
            "Just researching for now: how do you handle SMS reminders for installation appointments? We don't"
            " have a budget for"
            " this. Maybe in 2028. A colleague mentioned Calendly as an alternative."
        ),
        use_case=Wish(
            "SMS reminders for installation appointments",
            "how do you handle SMS reminders for installation appointments?",
            (
                "The sender asks about SMS reminders for installation appointments.",
                "The use case is SMS reminders for installation appointments.",
                "They are researching SMS reminders for installation appointments.",
            ),
        ),
        budget=Wish(
            "no budget",
            "We don't have a budget for this.",
            (
                "The sender does not have a budget for this.",
                "There is no budget for this.",
                "They have no budget.",
            ),
        ),
        timeline=Wish(
            "2028",
            "Maybe in 2028.",
            (
                "It may happen in 2028.",
                "The timeline is maybe 2028.",
            ),
        ),
        competitor=Wish(
            "Calendly",
            "A colleague mentioned Calendly as an alternative.",
            (
                "A colleague mentioned Calendly as an alternative.",
                "Calendly was mentioned as an alternative.",
                "The sender names Calendly as an alternative.",
            ),
        ),
        asks=(),
        form={"industry": "Solar energy"},
    ),
)
