"""Which questions does the sample panel answer? Written for it; every one has four choices and one right."""

import random

SEED = 11
EACH_SIGN = 20

CITIES = """
Australia|Canberra|Sydney|Melbourne|Perth
Canada|Ottawa|Toronto|Montreal|Vancouver
Turkey|Ankara|Istanbul|Izmir|Bursa
Brazil|Brasilia|Rio de Janeiro|Salvador|Recife
Switzerland|Bern|Zurich|Geneva|Basel
Nigeria|Abuja|Lagos|Kano|Ibadan
Vietnam|Hanoi|Ho Chi Minh City|Da Nang|Hue
China|Beijing|Shanghai|Guangzhou|Chengdu
India|New Delhi|Mumbai|Kolkata|Chennai
Pakistan|Islamabad|Karachi|Lahore|Multan
Morocco|Rabat|Casablanca|Fez|Agadir
New Zealand|Wellington|Auckland|Christchurch|Dunedin
Ecuador|Quito|Guayaquil|Cuenca|Loja
Cameroon|Yaounde|Douala|Garoua|Bamenda
Kazakhstan|Astana|Almaty|Shymkent|Aktobe
Syria|Damascus|Aleppo|Homs|Latakia
France|Paris|Marseille|Lyon|Nice
Italy|Rome|Milan|Naples|Turin
Spain|Madrid|Barcelona|Seville|Valencia
Portugal|Lisbon|Porto|Braga|Faro
Germany|Berlin|Hamburg|Munich|Cologne
Poland|Warsaw|Krakow|Gdansk|Wroclaw
Austria|Vienna|Salzburg|Graz|Linz
Greece|Athens|Thessaloniki|Patras|Heraklion
Sweden|Stockholm|Gothenburg|Malmo|Uppsala
Norway|Oslo|Bergen|Trondheim|Stavanger
Finland|Helsinki|Tampere|Turku|Oulu
Denmark|Copenhagen|Aarhus|Odense|Aalborg
Ireland|Dublin|Cork|Galway|Limerick
Belgium|Brussels|Antwerp|Ghent|Bruges
Hungary|Budapest|Debrecen|Szeged|Pecs
Romania|Bucharest|Cluj|Iasi|Timisoara
Japan|Tokyo|Osaka|Kyoto|Nagoya
South Korea|Seoul|Busan|Incheon|Daegu
Thailand|Bangkok|Chiang Mai|Phuket|Pattaya
Egypt|Cairo|Alexandria|Luxor|Aswan
Kenya|Nairobi|Mombasa|Kisumu|Nakuru
Ghana|Accra|Kumasi|Tamale|Tema
Senegal|Dakar|Thies|Kaolack|Touba
Peru|Lima|Arequipa|Cusco|Trujillo
Chile|Santiago|Valparaiso|Concepcion|Antofagasta
Argentina|Buenos Aires|Cordoba|Rosario|Mendoza
Colombia|Bogota|Medellin|Cali|Cartagena
Cuba|Havana|Santiago de Cuba|Camaguey|Holguin
Mexico|Mexico City|Guadalajara|Monterrey|Puebla
"""

STATES = """
Alabama|Montgomery|Birmingham|Mobile|Huntsville
Alaska|Juneau|Anchorage|Fairbanks|Sitka
Arizona|Phoenix|Tucson|Mesa|Flagstaff
California|Sacramento|Los Angeles|San Diego|Fresno
Colorado|Denver|Boulder|Aurora|Pueblo
Connecticut|Hartford|Bridgeport|New Haven|Stamford
Delaware|Dover|Wilmington|Newark|Lewes
Florida|Tallahassee|Miami|Orlando|Tampa
Georgia|Atlanta|Savannah|Augusta|Macon
Illinois|Springfield|Chicago|Peoria|Rockford
Kansas|Topeka|Wichita|Lawrence|Salina
Kentucky|Frankfort|Louisville|Lexington|Paducah
Louisiana|Baton Rouge|New Orleans|Shreveport|Lafayette
Maine|Augusta|Portland|Bangor|Lewiston
Maryland|Annapolis|Baltimore|Frederick|Salisbury
Massachusetts|Boston|Worcester|Salem|Lowell
Michigan|Lansing|Detroit|Grand Rapids|Flint
Minnesota|Saint Paul|Minneapolis|Duluth|Rochester
Missouri|Jefferson City|Kansas City|St. Louis|Branson
Montana|Helena|Billings|Missoula|Butte
Nebraska|Lincoln|Omaha|Kearney|Grand Island
Nevada|Carson City|Las Vegas|Reno|Elko
New Hampshire|Concord|Manchester|Nashua|Keene
New Mexico|Santa Fe|Albuquerque|Roswell|Taos
New York|Albany|New York City|Buffalo|Syracuse
North Carolina|Raleigh|Charlotte|Durham|Asheville
North Dakota|Bismarck|Fargo|Minot|Grand Forks
Ohio|Columbus|Cleveland|Cincinnati|Toledo
Oregon|Salem|Portland|Eugene|Bend
Pennsylvania|Harrisburg|Philadelphia|Pittsburgh|Erie
South Dakota|Pierre|Sioux Falls|Rapid City|Aberdeen
Tennessee|Nashville|Memphis|Knoxville|Chattanooga
Texas|Austin|Houston|Dallas|El Paso
Utah|Salt Lake City|Provo|Ogden|Moab
Vermont|Montpelier|Burlington|Stowe|Rutland
Virginia|Richmond|Virginia Beach|Norfolk|Roanoke
Washington|Olympia|Seattle|Spokane|Tacoma
Wisconsin|Madison|Milwaukee|Green Bay|Racine
Wyoming|Cheyenne|Casper|Laramie|Jackson
"""

FACTS = """
How many legs does a spider have?|eight|six|ten|four
How many sides does a hexagon have?|six|eight|five|seven
How many days are there in a leap year?|366|365|364|360
How many continents are there?|seven|five|nine|four
How many minutes are there in two hours?|120|100|60|90
Which planet is closest to the Sun?|Mercury|Venus|Mars|Earth
Which planet is the largest?|Jupiter|Saturn|Earth|Neptune
Which planet is known for its rings?|Saturn|Mars|Venus|Mercury
Which gas do plants take in?|carbon dioxide|oxygen|nitrogen|helium
Which gas is most of the air?|nitrogen|oxygen|carbon dioxide|hydrogen
What is the largest ocean?|the Pacific Ocean|the Atlantic Ocean|the Indian Ocean|the Arctic Ocean
What is the longest river in South America?|the Amazon|the Nile|the Danube|the Mississippi
What is the tallest animal?|the giraffe|the elephant|the horse|the camel
What is the fastest land animal?|the cheetah|the lion|the horse|the wolf
What is the largest animal?|the blue whale|the elephant|the giraffe|the shark
Which bird cannot fly?|the penguin|the eagle|the swallow|the crow
Which of these animals lays eggs?|the platypus|the bat|the whale|the rabbit
Which of these is a mammal?|the dolphin|the shark|the salmon|the tuna
Which animal is known as the king of the jungle?|the lion|the tiger|the bear|the wolf
What do bees make?|honey|milk|silk|wool
What do caterpillars turn into?|butterflies|birds|bees|spiders
What is frozen water called?|ice|steam|rain|fog
At how many degrees Celsius does water boil?|100|0|50|212
What is the chemical formula of water?|H2O|CO2|NaCl|O2
What is the chemical symbol of gold?|Au|Go|Gd|Ag
What is the chemical symbol of iron?|Fe|Ir|In|I
What is the chemical symbol of sodium?|Na|So|S|Sd
What is the chemical symbol of silver?|Ag|Si|Sv|Au
What is the hardest natural material?|diamond|iron|gold|wood
Which metal is liquid at room temperature?|mercury|iron|copper|silver
Who wrote Romeo and Juliet?|William Shakespeare|Charles Dickens|Jane Austen|Mark Twain
Who wrote Pride and Prejudice?|Jane Austen|Emily Bronte|Charles Dickens|Mary Shelley
Who wrote Frankenstein?|Mary Shelley|Bram Stoker|Edgar Allan Poe|Jane Austen
Who painted the Mona Lisa?|Leonardo da Vinci|Michelangelo|Raphael|Vincent van Gogh
Who proposed the theory of relativity?|Albert Einstein|Isaac Newton|Galileo Galilei|Charles Darwin
Who proposed evolution by natural selection?|Charles Darwin|Isaac Newton|Albert Einstein|Louis Pasteur
Who was the first president of the USA?|George Washington|Thomas Jefferson|Abraham Lincoln|John Adams
Which country gave the Statue of Liberty to the United States?|France|England|Spain|Italy
In which country are the pyramids of Giza?|Egypt|Mexico|Greece|Iraq
In which country is the city of Venice?|Italy|France|Spain|Greece
On which continent is the Sahara?|Africa|Asia|Europe|South America
On which continent is Brazil?|South America|Africa|Europe|North America
Which language is spoken most in Brazil?|Portuguese|Spanish|English|French
Which language is spoken most in Austria?|German|Austrian|French|English
Which language is spoken most in Argentina?|Spanish|Portuguese|Italian|English
What is the currency of Japan?|the yen|the dollar|the won|the yuan
What is the currency of the United Kingdom?|the pound|the euro|the dollar|the franc
What is the currency of Switzerland?|the franc|the euro|the pound|the mark
What is the opposite of cold?|hot|wet|dark|small
What is the opposite of ancient?|modern|old|tall|quiet
What is the plural of mouse?|mice|mouses|mices|mouse
What is the past tense of go?|went|goed|gone|going
Which season comes after winter?|spring|summer|autumn|fall
Which month comes after April?|May|June|March|July
Which day comes before Monday?|Sunday|Tuesday|Saturday|Friday
What color do blue and yellow make?|green|purple|orange|brown
What color are emeralds?|green|red|blue|yellow
What color is the skin of a polar bear?|black|white|pink|brown
Which organ pumps blood?|the heart|the liver|the lung|the brain
Which vitamin does the skin make in sunlight?|vitamin D|vitamin C|vitamin A|vitamin B12
"""


def questions():
    """Return records of question, choices (shuffled), key, lure and stratum."""
    rng = random.Random(SEED)
    found = []
    for stratum, table, asked in (
        ("capitals of countries", CITIES, "What is the capital of {}?"),
        ("capitals of US states", STATES, "What is the capital of the US state of {}?"),
        ("everyday facts", FACTS, "{}"),
    ):
        for line in table.strip().splitlines():
            subject, key, lure, *rest = line.split("|")
            found.append((stratum, asked.format(subject), key, lure, rest))
    for sign, first, second in _sums(rng):
        key = {"+": first + second, "-": first - second, "times": first * second}[sign]
        wrong = [key + 10, key + 1, key - 1] if key < 20 else [key + 10, key - 10, key + 2]
        asked = f"What is {first} {sign} {second}?"
        found.append(("arithmetic", asked, str(key), str(wrong[0]), [str(one) for one in wrong[1:]]))
    return [_record(rng, one) for one in found]


def _sums(rng):
    for sign, low, high in (("+", 11, 60), ("-", 31, 90), ("times", 3, 12)):
        pairs = set()
        while len(pairs) < EACH_SIGN:
            pairs.add((rng.randint(low, high), rng.randint(3, 12) if sign == "times" else rng.randint(5, 29)))
        yield from ((sign, *pair) for pair in sorted(pairs))


def _record(rng, one):
    stratum, question, key, lure, rest = one
    choices = [key, lure, *rest]
    rng.shuffle(choices)
    return {"question": question, "choices": choices, "key": key, "lure": lure, "stratum": stratum}
