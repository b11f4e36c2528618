"""How each language reads what is not a word: units, signs, money, abbreviations. `normalise` applies it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One language's words. A noun is (what one of it is called, its plural): `("une seconde", "secondes")`."""

    group: str
    """What may separate thousands, as the inside of a character class; a space where the language writes one."""
    decimal: str
    """The decimal signs, as the inside of a character class."""
    point: str
    """The decimal sign's name."""
    spell_fraction: bool
    """Whether digits after the decimal sign are read one by one."""
    minus: str
    to: str
    over: str
    number: str
    percent: str
    per_mille: str
    hours: str
    """A time of day as a pattern of {hour} and {minute}."""
    hour: str
    """A full hour as a pattern of {hour}."""
    signs: dict[str, str]
    units: dict[str, tuple[str, str]]
    money: dict[str, tuple[str, str]]
    abbreviations: dict[str, str]
    """Written form -> words; matched as whole words, case kept apart only where it tells them apart."""
    powers: dict[str, str] = field(default_factory=dict)


_SIGNS = ("&", "+", "=", "<", ">", "≤", "≥", "≈", "≠", "×", "÷", "±", "@", "√", "∞", "→", "§", "°")


def _signs(words: str) -> dict[str, str]:
    return dict(zip(_SIGNS, (word.strip() for word in words.split("|")), strict=True))


def _nouns(lines: str) -> dict[str, tuple[str, str]]:
    """`sign: one, plural` a line."""
    nouns = {}
    for line in lines.strip().splitlines():
        signs, names = line.split(":")
        one, many = names.split(",")
        for sign in signs.split():
            nouns[sign] = (one.strip(), many.strip())
    return nouns


def _words(lines: str) -> dict[str, str]:
    """`written: words` a line."""
    pairs = (line.split(":") for line in lines.strip().splitlines())
    return {written.strip(): words.strip() for written, words in pairs}


READINGS: dict[str, Reading] = {
    "en": Reading(
        group=",",
        decimal=".",
        point="point",
        spell_fraction=True,
        minus="minus",
        to="to",
        over="over",
        number="number",
        percent="percent",
        per_mille="per mille",
        hours="{hour} {minute}",
        hour="{hour} o'clock",
        signs=_signs(
            "and|plus|equals|less than|greater than|at most|at least|approximately|is not equal to|times|divided by"
            "|plus or minus|at|the square root of|infinity|to|section|degrees"
        ),
        powers={"²": "squared", "³": "cubed"},
        units=_nouns("""
            km: one kilometer, kilometers
            m: one meter, meters
            cm: one centimeter, centimeters
            mm: one millimeter, millimeters
            μm: one micrometer, micrometers
            nm: one nanometer, nanometers
            kg: one kilogram, kilograms
            g: one gram, grams
            mg: one milligram, milligrams
            s: one second, seconds
            ms: one millisecond, milliseconds
            μs: one microsecond, microseconds
            ns: one nanosecond, nanoseconds
            min: one minute, minutes
            h: one hour, hours
            Hz: one hertz, hertz
            kHz: one kilohertz, kilohertz
            MHz: one megahertz, megahertz
            GHz: one gigahertz, gigahertz
            °C: one degree Celsius, degrees Celsius
            °F: one degree Fahrenheit, degrees Fahrenheit
            °: one degree, degrees
            l L: one liter, liters
            ml mL: one milliliter, milliliters
            W: one watt, watts
            kW: one kilowatt, kilowatts
            MW: one megawatt, megawatts
            kWh: one kilowatt hour, kilowatt hours
            V: one volt, volts
            J: one joule, joules
            kJ: one kilojoule, kilojoules
            Pa: one pascal, pascals
            kPa: one kilopascal, kilopascals
            dB: one decibel, decibels
            kB KB: one kilobyte, kilobytes
            MB: one megabyte, megabytes
            GB: one gigabyte, gigabytes
            TB: one terabyte, terabytes
            m/s: one meter per second, meters per second
            m/s²: one meter per second squared, meters per second squared
            km/h: one kilometer per hour, kilometers per hour
            mph: one mile per hour, miles per hour
            m²: one square meter, square meters
            m³: one cubic meter, cubic meters
            cm²: one square centimeter, square centimeters
            cm³: one cubic centimeter, cubic centimeters
            km²: one square kilometer, square kilometers
            eV: one electronvolt, electronvolts
            keV: one kiloelectronvolt, kiloelectronvolts
            MeV: one megaelectronvolt, megaelectronvolts
            N: one newton, newtons
            mA: one milliampere, milliamperes
            mV: one millivolt, millivolts
            kV: one kilovolt, kilovolts
            Ω: one ohm, ohms
            kΩ: one kiloohm, kiloohms
            mol: one mole, moles
            kbit/s: one kilobit per second, kilobits per second
            Mbit/s Mb/s Mbps: one megabit per second, megabits per second
            Gbit/s Gb/s Gbps: one gigabit per second, gigabits per second
            MB/s: one megabyte per second, megabytes per second
            GB/s: one gigabyte per second, gigabytes per second
            THz: one terahertz, terahertz
            rpm: one revolution per minute, revolutions per minute
            fps: one frame per second, frames per second
            kg/m³: one kilogram per cubic meter, kilograms per cubic meter
            g/cm³: one gram per cubic centimeter, grams per cubic centimeter
            W/m²: one watt per square meter, watts per square meter
            ft: one foot, feet
            lb: one pound, pounds
        """),
        money=_nouns("""
            $ USD: one dollar, dollars
            € EUR: one euro, euros
            £ GBP: one pound, pounds
            ¥: one yen, yen
        """),
        abbreviations=_words("""
            Dr.: Doctor
            Prof.: Professor
            Mr.: Mister
            Mr: Mister
            Mrs.: Missus
            Mrs: Missus
            Ms.: Miz
            St.: Saint
            Jr.: Junior
            e.g.: for example
            i.e.: that is
            etc.: et cetera
            et al.: and others
            vs.: versus
            vs: versus
            Fig.: Figure
            fig.: figure
            Eq.: Equation
            eq.: equation
            approx.: approximately
            cf.: compare
            Ph.D.: P H D
            PhD: P H D
            a.m.: A M
            p.m.: P M
            w.r.t.: with respect to
            w/o: without
        """),
    ),
    "fr": Reading(
        group=" .",
        decimal=",.",
        point="virgule",
        spell_fraction=False,
        minus="moins",
        to="à",
        over="sur",
        number="numéro",
        percent="pour cent",
        per_mille="pour mille",
        hours="{hour} heures {minute}",
        hour="{hour} heures",
        signs=_signs(
            "et|plus|égale|inférieur à|supérieur à|inférieur ou égal à|supérieur ou égal à|environ|différent de|fois"
            "|divisé par|plus ou moins|arobase|racine carrée de|l'infini|vers|paragraphe|degrés"
        ),
        powers={"²": "au carré", "³": "au cube"},
        units=_nouns("""
            km: un kilomètre, kilomètres
            m: un mètre, mètres
            cm: un centimètre, centimètres
            mm: un millimètre, millimètres
            μm: un micromètre, micromètres
            nm: un nanomètre, nanomètres
            kg: un kilogramme, kilogrammes
            g: un gramme, grammes
            mg: un milligramme, milligrammes
            s: une seconde, secondes
            ms: une milliseconde, millisecondes
            μs: une microseconde, microsecondes
            ns: une nanoseconde, nanosecondes
            min: une minute, minutes
            h: une heure, heures
            Hz: un hertz, hertz
            kHz: un kilohertz, kilohertz
            MHz: un mégahertz, mégahertz
            GHz: un gigahertz, gigahertz
            °C: un degré Celsius, degrés Celsius
            °F: un degré Fahrenheit, degrés Fahrenheit
            °: un degré, degrés
            l L: un litre, litres
            ml mL: un millilitre, millilitres
            W: un watt, watts
            kW: un kilowatt, kilowatts
            MW: un mégawatt, mégawatts
            kWh: un kilowattheure, kilowattheures
            V: un volt, volts
            J: un joule, joules
            kJ: un kilojoule, kilojoules
            Pa: un pascal, pascals
            kPa: un kilopascal, kilopascals
            dB: un décibel, décibels
            ko Ko kB KB: un kilooctet, kilooctets
            Mo MB: un mégaoctet, mégaoctets
            Go GB: un gigaoctet, gigaoctets
            To TB: un téraoctet, téraoctets
            m/s: un mètre par seconde, mètres par seconde
            m/s²: un mètre par seconde au carré, mètres par seconde au carré
            km/h: un kilomètre heure, kilomètres heure
            m²: un mètre carré, mètres carrés
            m³: un mètre cube, mètres cubes
            cm²: un centimètre carré, centimètres carrés
            cm³: un centimètre cube, centimètres cubes
            km²: un kilomètre carré, kilomètres carrés
            eV: un électronvolt, électronvolts
            keV: un kiloélectronvolt, kiloélectronvolts
            MeV: un mégaélectronvolt, mégaélectronvolts
            N: un newton, newtons
            mA: un milliampère, milliampères
            mV: un millivolt, millivolts
            kV: un kilovolt, kilovolts
            Ω: un ohm, ohms
            kΩ: un kiloohm, kiloohms
            mol: une mole, moles
            kbit/s: un kilobit par seconde, kilobits par seconde
            Mbit/s Mb/s: un mégabit par seconde, mégabits par seconde
            Gbit/s Gb/s: un gigabit par seconde, gigabits par seconde
            Mo/s MB/s: un mégaoctet par seconde, mégaoctets par seconde
            Go/s GB/s: un gigaoctet par seconde, gigaoctets par seconde
            THz: un térahertz, térahertz
            tr/min: un tour par minute, tours par minute
            kg/m³: un kilogramme par mètre cube, kilogrammes par mètre cube
            g/cm³: un gramme par centimètre cube, grammes par centimètre cube
            W/m²: un watt par mètre carré, watts par mètre carré
        """),
        money=_nouns("""
            $ USD: un dollar, dollars
            € EUR: un euro, euros
            £ GBP: une livre, livres
            ¥: un yen, yens
        """),
        abbreviations=_words("""
            M.: Monsieur
            MM.: Messieurs
            Mme: Madame
            Mmes: Mesdames
            Mlle: Mademoiselle
            Dr: Docteur
            Dr.: Docteur
            Pr: Professeur
            Pr.: Professeur
            p. ex.: par exemple
            p.ex.: par exemple
            par ex.: par exemple
            c.-à-d.: c'est-à-dire
            etc.: et cetera
            cf.: voir
            fig.: figure
            Fig.: Figure
            éq.: équation
            chap.: chapitre
            env.: environ
            av. J.-C.: avant Jésus-Christ
            apr. J.-C.: après Jésus-Christ
            n°: numéro
            N°: Numéro
            St: Saint
            Ste: Sainte
            vs: contre
        """),
    ),
    "es": Reading(
        group=" .",
        decimal=",.",
        point="coma",
        spell_fraction=False,
        minus="menos",
        to="a",
        over="entre",
        number="número",
        percent="por ciento",
        per_mille="por mil",
        hours="{hour} y {minute}",
        hour="{hour} en punto",
        signs=_signs(
            "y|más|igual a|menor que|mayor que|menor o igual que|mayor o igual que|aproximadamente|distinto de|por"
            "|dividido entre|más o menos|arroba|raíz cuadrada de|infinito|hacia|sección|grados"
        ),
        powers={"²": "al cuadrado", "³": "al cubo"},
        units=_nouns("""
            km: un kilómetro, kilómetros
            m: un metro, metros
            cm: un centímetro, centímetros
            mm: un milímetro, milímetros
            μm: un micrómetro, micrómetros
            nm: un nanómetro, nanómetros
            kg: un kilogramo, kilogramos
            g: un gramo, gramos
            mg: un miligramo, miligramos
            s: un segundo, segundos
            ms: un milisegundo, milisegundos
            μs: un microsegundo, microsegundos
            ns: un nanosegundo, nanosegundos
            min: un minuto, minutos
            h: una hora, horas
            Hz: un hercio, hercios
            kHz: un kilohercio, kilohercios
            MHz: un megahercio, megahercios
            GHz: un gigahercio, gigahercios
            °C: un grado Celsius, grados Celsius
            °F: un grado Fahrenheit, grados Fahrenheit
            °: un grado, grados
            l L: un litro, litros
            ml mL: un mililitro, mililitros
            W: un vatio, vatios
            kW: un kilovatio, kilovatios
            MW: un megavatio, megavatios
            kWh: un kilovatio hora, kilovatios hora
            V: un voltio, voltios
            J: un julio, julios
            kJ: un kilojulio, kilojulios
            Pa: un pascal, pascales
            kPa: un kilopascal, kilopascales
            dB: un decibelio, decibelios
            kB KB: un kilobyte, kilobytes
            MB: un megabyte, megabytes
            GB: un gigabyte, gigabytes
            TB: un terabyte, terabytes
            m/s: un metro por segundo, metros por segundo
            m/s²: un metro por segundo al cuadrado, metros por segundo al cuadrado
            km/h: un kilómetro por hora, kilómetros por hora
            m²: un metro cuadrado, metros cuadrados
            m³: un metro cúbico, metros cúbicos
            cm²: un centímetro cuadrado, centímetros cuadrados
            cm³: un centímetro cúbico, centímetros cúbicos
            km²: un kilómetro cuadrado, kilómetros cuadrados
            eV: un electronvoltio, electronvoltios
            keV: un kiloelectronvoltio, kiloelectronvoltios
            MeV: un megaelectronvoltio, megaelectronvoltios
            N: un newton, newtons
            mA: un miliamperio, miliamperios
            mV: un milivoltio, milivoltios
            kV: un kilovoltio, kilovoltios
            Ω: un ohmio, ohmios
            kΩ: un kiloohmio, kiloohmios
            mol: un mol, moles
            kbit/s: un kilobit por segundo, kilobits por segundo
            Mbit/s Mb/s: un megabit por segundo, megabits por segundo
            Gbit/s Gb/s: un gigabit por segundo, gigabits por segundo
            MB/s: un megabyte por segundo, megabytes por segundo
            GB/s: un gigabyte por segundo, gigabytes por segundo
            THz: un terahercio, terahercios
            rpm: una revolución por minuto, revoluciones por minuto
            kg/m³: un kilogramo por metro cúbico, kilogramos por metro cúbico
            g/cm³: un gramo por centímetro cúbico, gramos por centímetro cúbico
            W/m²: un vatio por metro cuadrado, vatios por metro cuadrado
        """),
        money=_nouns("""
            $ USD: un dólar, dólares
            € EUR: un euro, euros
            £ GBP: una libra, libras
            ¥: un yen, yenes
        """),
        abbreviations=_words("""
            Sr.: Señor
            Sra.: Señora
            Srta.: Señorita
            Dr.: Doctor
            Dra.: Doctora
            Prof.: Profesor
            p. ej.: por ejemplo
            p.ej.: por ejemplo
            etc.: etcétera
            aprox.: aproximadamente
            fig.: figura
            Fig.: Figura
            cap.: capítulo
            ec.: ecuación
            a. C.: antes de Cristo
            d. C.: después de Cristo
            n.º: número
            nº: número
            N.º: Número
            Nº: Número
            EE. UU.: Estados Unidos
            Ud.: usted
            Uds.: ustedes
            vs.: contra
        """),
    ),
    "de": Reading(
        group=" .",
        decimal=",.",
        point="Komma",
        spell_fraction=True,
        minus="minus",
        to="bis",
        over="durch",
        number="Nummer",
        percent="Prozent",
        per_mille="Promille",
        hours="{hour} Uhr {minute}",
        hour="{hour} Uhr",
        signs=_signs(
            "und|plus|gleich|kleiner als|größer als|höchstens|mindestens|ungefähr|ungleich|mal|geteilt durch"
            "|plus minus|at|Wurzel aus|unendlich|nach|Paragraf|Grad"
        ),
        powers={"²": "zum Quadrat", "³": "hoch drei"},
        units=_nouns("""
            km: ein Kilometer, Kilometer
            m: ein Meter, Meter
            cm: ein Zentimeter, Zentimeter
            mm: ein Millimeter, Millimeter
            μm: ein Mikrometer, Mikrometer
            nm: ein Nanometer, Nanometer
            kg: ein Kilogramm, Kilogramm
            g: ein Gramm, Gramm
            mg: ein Milligramm, Milligramm
            s: eine Sekunde, Sekunden
            ms: eine Millisekunde, Millisekunden
            μs: eine Mikrosekunde, Mikrosekunden
            ns: eine Nanosekunde, Nanosekunden
            min: eine Minute, Minuten
            h: eine Stunde, Stunden
            Hz: ein Hertz, Hertz
            kHz: ein Kilohertz, Kilohertz
            MHz: ein Megahertz, Megahertz
            GHz: ein Gigahertz, Gigahertz
            °C: ein Grad Celsius, Grad Celsius
            °F: ein Grad Fahrenheit, Grad Fahrenheit
            °: ein Grad, Grad
            l L: ein Liter, Liter
            ml mL: ein Milliliter, Milliliter
            W: ein Watt, Watt
            kW: ein Kilowatt, Kilowatt
            MW: ein Megawatt, Megawatt
            kWh: eine Kilowattstunde, Kilowattstunden
            V: ein Volt, Volt
            J: ein Joule, Joule
            kJ: ein Kilojoule, Kilojoule
            Pa: ein Pascal, Pascal
            kPa: ein Kilopascal, Kilopascal
            dB: ein Dezibel, Dezibel
            kB KB: ein Kilobyte, Kilobyte
            MB: ein Megabyte, Megabyte
            GB: ein Gigabyte, Gigabyte
            TB: ein Terabyte, Terabyte
            m/s: ein Meter pro Sekunde, Meter pro Sekunde
            m/s²: ein Meter pro Sekunde zum Quadrat, Meter pro Sekunde zum Quadrat
            km/h: ein Kilometer pro Stunde, Kilometer pro Stunde
            m²: ein Quadratmeter, Quadratmeter
            m³: ein Kubikmeter, Kubikmeter
            cm²: ein Quadratzentimeter, Quadratzentimeter
            cm³: ein Kubikzentimeter, Kubikzentimeter
            km²: ein Quadratkilometer, Quadratkilometer
            eV: ein Elektronenvolt, Elektronenvolt
            keV: ein Kiloelektronenvolt, Kiloelektronenvolt
            MeV: ein Megaelektronenvolt, Megaelektronenvolt
            N: ein Newton, Newton
            mA: ein Milliampere, Milliampere
            mV: ein Millivolt, Millivolt
            kV: ein Kilovolt, Kilovolt
            Ω: ein Ohm, Ohm
            kΩ: ein Kiloohm, Kiloohm
            mol: ein Mol, Mol
            kbit/s: ein Kilobit pro Sekunde, Kilobit pro Sekunde
            Mbit/s Mb/s: ein Megabit pro Sekunde, Megabit pro Sekunde
            Gbit/s Gb/s: ein Gigabit pro Sekunde, Gigabit pro Sekunde
            MB/s: ein Megabyte pro Sekunde, Megabyte pro Sekunde
            GB/s: ein Gigabyte pro Sekunde, Gigabyte pro Sekunde
            THz: ein Terahertz, Terahertz
            kg/m³: ein Kilogramm pro Kubikmeter, Kilogramm pro Kubikmeter
            g/cm³: ein Gramm pro Kubikzentimeter, Gramm pro Kubikzentimeter
            W/m²: ein Watt pro Quadratmeter, Watt pro Quadratmeter
        """),
        money=_nouns("""
            $ USD: ein Dollar, Dollar
            € EUR: ein Euro, Euro
            £ GBP: ein Pfund, Pfund
            ¥: ein Yen, Yen
        """),
        abbreviations=_words("""
            z. B.: zum Beispiel
            z.B.: zum Beispiel
            d. h.: das heißt
            d.h.: das heißt
            u. a.: unter anderem
            u.a.: unter anderem
            usw.: und so weiter
            etc.: et cetera
            bzw.: beziehungsweise
            ca.: circa
            Dr.: Doktor
            Prof.: Professor
            Hr.: Herr
            Fr.: Frau
            Nr.: Nummer
            Abb.: Abbildung
            Kap.: Kapitel
            Gl.: Gleichung
            vgl.: vergleiche
            Mio.: Millionen
            Mrd.: Milliarden
            n. Chr.: nach Christus
            v. Chr.: vor Christus
            St.: Sankt
        """),
    ),
    "it": Reading(
        group=" .",
        decimal=",.",
        point="virgola",
        spell_fraction=False,
        minus="meno",
        to="a",
        over="su",
        number="numero",
        percent="per cento",
        per_mille="per mille",
        hours="{hour} e {minute}",
        hour="{hour} in punto",
        signs=_signs(
            "e|più|uguale a|minore di|maggiore di|minore o uguale a|maggiore o uguale a|circa|diverso da|per|diviso"
            "|più o meno|chiocciola|radice quadrata di|infinito|verso|sezione|gradi"
        ),
        powers={"²": "al quadrato", "³": "al cubo"},
        units=_nouns("""
            km: un chilometro, chilometri
            m: un metro, metri
            cm: un centimetro, centimetri
            mm: un millimetro, millimetri
            μm: un micrometro, micrometri
            nm: un nanometro, nanometri
            kg: un chilogrammo, chilogrammi
            g: un grammo, grammi
            mg: un milligrammo, milligrammi
            s: un secondo, secondi
            ms: un millisecondo, millisecondi
            μs: un microsecondo, microsecondi
            ns: un nanosecondo, nanosecondi
            min: un minuto, minuti
            h: un'ora, ore
            Hz: un hertz, hertz
            kHz: un kilohertz, kilohertz
            MHz: un megahertz, megahertz
            GHz: un gigahertz, gigahertz
            °C: un grado Celsius, gradi Celsius
            °F: un grado Fahrenheit, gradi Fahrenheit
            °: un grado, gradi
            l L: un litro, litri
            ml mL: un millilitro, millilitri
            W: un watt, watt
            kW: un chilowatt, chilowatt
            MW: un megawatt, megawatt
            kWh: un chilowattora, chilowattora
            V: un volt, volt
            J: un joule, joule
            kJ: un chilojoule, chilojoule
            Pa: un pascal, pascal
            kPa: un chilopascal, chilopascal
            dB: un decibel, decibel
            kB KB: un kilobyte, kilobyte
            MB: un megabyte, megabyte
            GB: un gigabyte, gigabyte
            TB: un terabyte, terabyte
            m/s: un metro al secondo, metri al secondo
            m/s²: un metro al secondo quadrato, metri al secondo quadrato
            km/h: un chilometro all'ora, chilometri all'ora
            m²: un metro quadrato, metri quadrati
            m³: un metro cubo, metri cubi
            cm²: un centimetro quadrato, centimetri quadrati
            cm³: un centimetro cubo, centimetri cubi
            km²: un chilometro quadrato, chilometri quadrati
            eV: un elettronvolt, elettronvolt
            N: un newton, newton
            mA: un milliampere, milliampere
            mV: un millivolt, millivolt
            Ω: un ohm, ohm
            mol: una mole, moli
            Mbit/s Mb/s: un megabit al secondo, megabit al secondo
            Gbit/s Gb/s: un gigabit al secondo, gigabit al secondo
            MB/s: un megabyte al secondo, megabyte al secondo
            GB/s: un gigabyte al secondo, gigabyte al secondo
            THz: un terahertz, terahertz
            kg/m³: un chilogrammo al metro cubo, chilogrammi al metro cubo
            g/cm³: un grammo al centimetro cubo, grammi al centimetro cubo
        """),
        money=_nouns("""
            $ USD: un dollaro, dollari
            € EUR: un euro, euro
            £ GBP: una sterlina, sterline
            ¥: uno yen, yen
        """),
        abbreviations=_words("""
            Sig.: Signor
            Sig.ra: Signora
            Dott.: Dottor
            Dott.ssa: Dottoressa
            Prof.: Professor
            Prof.ssa: Professoressa
            ad es.: ad esempio
            p. es.: per esempio
            p.es.: per esempio
            ecc.: eccetera
            etc.: eccetera
            fig.: figura
            Fig.: Figura
            cap.: capitolo
            eq.: equazione
            ca.: circa
            a.C.: avanti Cristo
            d.C.: dopo Cristo
            n.: numero
            n°: numero
            N°: Numero
            cfr.: confronta
            vs.: contro
        """),
    ),
    "ar": Reading(
        group=",٬",
        decimal=".٫",
        point="فاصلة",
        spell_fraction=True,
        minus="سالب",
        to="إلى",
        over="على",
        number="رقم",
        percent="بالمئة",
        per_mille="بالألف",
        hours="{hour} و {minute}",
        hour="{hour}",
        signs=_signs(
            "و|زائد|يساوي|أصغر من|أكبر من|أصغر من أو يساوي|أكبر من أو يساوي|تقريبا|لا يساوي|ضرب|قسمة|زائد أو ناقص"
            "|آت|جذر|ما لا نهاية|إلى|القسم|درجة"
        ),
        powers={"²": "تربيع", "³": "تكعيب"},
        units=_nouns("""
            km كم: كيلومتر واحد, كيلومتر
            m م: متر واحد, متر
            cm سم: سنتيمتر واحد, سنتيمتر
            mm مم: مليمتر واحد, مليمتر
            μm: ميكرومتر واحد, ميكرومتر
            nm: نانومتر واحد, نانومتر
            kg كغ كجم: كيلوغرام واحد, كيلوغرام
            g غ: غرام واحد, غرام
            mg ملغ: مليغرام واحد, مليغرام
            s ث: ثانية واحدة, ثانية
            ms: ميلي ثانية واحدة, ميلي ثانية
            μs: ميكروثانية واحدة, ميكروثانية
            ns: نانوثانية واحدة, نانوثانية
            min: دقيقة واحدة, دقيقة
            h: ساعة واحدة, ساعة
            Hz: هرتز واحد, هرتز
            kHz: كيلوهرتز واحد, كيلوهرتز
            MHz: ميغاهرتز واحد, ميغاهرتز
            GHz: غيغاهرتز واحد, غيغاهرتز
            THz: تيراهرتز واحد, تيراهرتز
            °C: درجة مئوية واحدة, درجة مئوية
            °F: درجة فهرنهايت واحدة, درجة فهرنهايت
            °: درجة واحدة, درجة
            l L: لتر واحد, لتر
            ml mL مل: مليلتر واحد, مليلتر
            W: واط واحد, واط
            kW: كيلوواط واحد, كيلوواط
            MW: ميغاواط واحد, ميغاواط
            kWh: كيلوواط ساعة واحد, كيلوواط ساعة
            V: فولت واحد, فولت
            mV: ميلي فولت واحد, ميلي فولت
            mA: ميلي أمبير واحد, ميلي أمبير
            Ω: أوم واحد, أوم
            J: جول واحد, جول
            kJ: كيلوجول واحد, كيلوجول
            N: نيوتن واحد, نيوتن
            Pa: باسكال واحد, باسكال
            kPa: كيلوباسكال واحد, كيلوباسكال
            eV: إلكترون فولت واحد, إلكترون فولت
            mol: مول واحد, مول
            dB: ديسيبل واحد, ديسيبل
            kB KB: كيلوبايت واحد, كيلوبايت
            MB: ميغابايت واحد, ميغابايت
            GB: غيغابايت واحد, غيغابايت
            TB: تيرابايت واحد, تيرابايت
            Mbit/s Mb/s: ميغابت في الثانية, ميغابت في الثانية
            Gbit/s Gb/s: غيغابت في الثانية, غيغابت في الثانية
            m/s: متر واحد في الثانية, متر في الثانية
            m/s²: متر واحد في الثانية المربعة, متر في الثانية المربعة
            km/h كم/س: كيلومتر واحد في الساعة, كيلومتر في الساعة
            m²: متر مربع واحد, متر مربع
            m³: متر مكعب واحد, متر مكعب
            cm²: سنتيمتر مربع واحد, سنتيمتر مربع
            cm³: سنتيمتر مكعب واحد, سنتيمتر مكعب
            km²: كيلومتر مربع واحد, كيلومتر مربع
            kg/m³: كيلوغرام واحد لكل متر مكعب, كيلوغرام لكل متر مكعب
        """),
        money=_nouns("""
            $ USD: دولار واحد, دولار
            € EUR: يورو واحد, يورو
            £ GBP: جنيه واحد, جنيه
        """),
        abbreviations=_words("""
            د.: الدكتور
            أ.د.: الأستاذ الدكتور
            إلخ.: إلى آخره
            إلخ: إلى آخره
            ق.م.: قبل الميلاد
        """),
    ),
}
