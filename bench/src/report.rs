//! What was measured: kept as it came, shown as a table of medians, saved as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bridge_bench::Failure;
use bridge_bench::rig::{Rig, Subject};
use bridge_bench::traffic::{Direction, Overload, Throughput};

use crate::goals::Goals;
use crate::statistics::{median, median_ratio, quantile};
use crate::{LARGE, MAPS, SIZES};

/// One kind of work: map, octets of information and direction.
type Work = (u32, u16, Direction);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Results {
    subjects: Vec<Subject>,
    machine: Machine,
    throughput: BTreeMap<(WorkOrder, usize), Vec<Throughput>>,
    /// Microseconds of each round: median and 99th percentile.
    latency: BTreeMap<(WorkOrder, usize), Vec<[f64; 2]>>,
    overload: BTreeMap<(u32, usize), Vec<Overload>>,
    /// Milliseconds.
    first_offer: BTreeMap<usize, Vec<f64>>,
    /// Octets in kB.
    resident: BTreeMap<usize, Vec<f64>>,
}

/// The place of a [`Work`] in tables.
type WorkOrder = (u32, usize, usize);

fn order((accm, size, direction): Work) -> WorkOrder {
    let size = SIZES.iter().position(|other| *other == size).unwrap_or(SIZES.len());
    let direction = Direction::ALL.iter().position(|other| *other == direction).unwrap_or(0);
    (accm, size, direction)
}

fn micros(duration: &Duration) -> f64 {
    duration.as_nanos() as f64 / 1e3
}

impl Results {
    pub(crate) fn new(subjects: Vec<Subject>) -> Self {
        Self {
            subjects,
            machine: Machine::here(),
            throughput: BTreeMap::new(),
            latency: BTreeMap::new(),
            overload: BTreeMap::new(),
            first_offer: BTreeMap::new(),
            resident: BTreeMap::new(),
        }
    }

    pub(crate) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    pub(crate) fn add_start(&mut self, subject: usize, rig: &Rig) -> Result<(), Failure> {
        if let Some(time) = rig.first_offer {
            self.first_offer.entry(subject).or_default().push(micros(&time) / 1e3);
        }
        Ok(())
    }

    pub(crate) fn add_memory(&mut self, subject: usize, rig: &Rig) -> Result<(), Failure> {
        self.resident.entry(subject).or_default().push(rig.process.resident_octets()? as f64 / 1024.0);
        Ok(())
    }

    pub(crate) fn add_throughput(
        &mut self,
        accm: u32,
        size: u16,
        direction: Direction,
        subject: usize,
        throughput: Throughput,
    ) {
        self.throughput.entry((order((accm, size, direction)), subject)).or_default().push(throughput);
    }

    pub(crate) fn add_latencies(
        &mut self,
        accm: u32,
        direction: Direction,
        subject: usize,
        latencies: &[Duration],
    ) {
        let latencies: Vec<f64> = latencies.iter().map(micros).collect();
        let summary = [median(&latencies), quantile(&latencies, 0.99)];
        self.latency.entry((order((accm, LARGE, direction)), subject)).or_default().push(summary);
    }

    pub(crate) fn add_overload(&mut self, accm: u32, subject: usize, overload: Overload) {
        self.overload.entry((accm, subject)).or_default().push(overload);
    }

    /// Whether the bridge has lost no frame that could be carried, and damaged none even of those that could not.
    pub(crate) fn nothing_is_lost_or_damaged(&self) -> bool {
        let is_ours = |subject: usize| self.subjects[subject].is_ours();
        let carried = self.throughput.iter().filter(|((_, subject), _)| is_ours(*subject));
        let overloaded = self.overload.iter().filter(|((_, subject), _)| is_ours(*subject));
        carried.flat_map(|(_, runs)| runs).all(|run| run.lost == 0 && run.damaged == 0)
            && overloaded.flat_map(|(_, runs)| runs).all(|run| run.damaged == 0 && run.good > 0)
    }

    /// How often everything was started and measured.
    pub(crate) fn rounds(&self) -> usize {
        self.resident.values().map(Vec::len).min().unwrap_or(0) / MAPS.len()
    }

    pub(crate) fn find(&self, wanted: &Subject) -> Option<usize> {
        self.subjects.iter().position(|subject| subject == wanted)
    }

    fn numbers(&self, work: Work, subject: usize, number: fn(&Throughput) -> f64) -> Vec<f64> {
        self.throughput.get(&(order(work), subject)).into_iter().flatten().map(number).collect()
    }

    /// The median ratio of a number of this subject to that of another; none where either was not measured.
    pub(crate) fn ratio(
        &self,
        work: Work,
        subject: usize,
        to: &Subject,
        number: fn(&Throughput) -> f64,
    ) -> Option<f64> {
        let (values, to) = (self.numbers(work, subject, number), self.numbers(work, self.find(to)?, number));
        (!values.is_empty() && !to.is_empty()).then(|| median_ratio(&values, &to))
    }

    fn write_throughput(&self, f: &mut fmt::Formatter<'_>, work: Work) -> fmt::Result {
        let (accm, size, direction) = work;
        let is_beside = self.find(&Subject::Beside).is_some();
        let other = if is_beside { format!("{:>13}", "other build") } else { String::new() };
        writeln!(f, "\n{}, {size} octets, ACCM {accm:08x}", direction.name())?;
        writeln!(
            f,
            "  {:<24}{:>10}  {:>9} {:>17}  {:>9}  {:>6}  {:>8}{other}{:>7}{:>9}",
            "",
            "frames/s",
            "CPU ns/fr",
            "[least..most]",
            "forwarder",
            "filled",
            "rp-pppoe",
            "lost",
            "damaged"
        )?;
        for (number, subject) in self.subjects.iter().enumerate() {
            let runs: Vec<_> = self.throughput.get(&(order(work), number)).into_iter().flatten().collect();
            let used = self.numbers(work, number, processor_time);
            let ratio = |to| {
                self.ratio(work, number, to, processor_time).map_or("-".to_owned(), |r| format!("{r:.2}"))
            };
            // How many octets framing adds to small frames is the headers', which are not random.
            let filled =
                if size == LARGE { ratio(&Subject::Forwarder { filled: true }) } else { "-".to_owned() };
            let other = if is_beside { format!("{:>13}", ratio(&Subject::Beside)) } else { String::new() };
            writeln!(
                f,
                "  {:<24}{:>10.0}  {:>9.0} {:>17}  {:>9}  {:>6}  {:>8}{other}{:>7}{:>9}",
                subject.name(),
                median(&self.numbers(work, number, frames_per_second)),
                median(&used),
                format!("[{:.0}..{:.0}]", quantile(&used, 0.0), quantile(&used, 1.0)),
                ratio(&Subject::Forwarder { filled: false }),
                filled,
                ratio(&Subject::RpPppoe),
                runs.iter().map(|run| run.lost).sum::<u64>(),
                runs.iter().map(|run| run.damaged).sum::<u64>(),
            )?;
        }
        Ok(())
    }

    fn write_latency(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nlatency of single frames a millisecond apart, {LARGE} octets, us: p50 and p99 (medians of rounds)"
        )?;
        for accm in MAPS {
            for (number, subject) in self.subjects.iter().enumerate() {
                write!(f, "  ACCM {accm:08x}  {:<24}", subject.name())?;
                for direction in [Direction::HostToModem, Direction::ModemToHost] {
                    let rounds = self.latencies(accm, direction, number);
                    let of =
                        |place: usize| median(&rounds.iter().map(|round| round[place]).collect::<Vec<_>>());
                    write!(f, "  {} {:>6.0} {:>6.0}", direction.name(), of(0), of(1))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }

    fn latencies(&self, accm: u32, direction: Direction, subject: usize) -> &[[f64; 2]] {
        self.latency.get(&(order((accm, LARGE, direction)), subject)).map_or(&[], Vec::as_slice)
    }

    /// The median of the rounds' differences between the median latencies of two subjects, in microseconds.
    pub(crate) fn latency_difference(
        &self,
        accm: u32,
        direction: Direction,
        subject: usize,
        to: &Subject,
    ) -> Option<f64> {
        let to = self.latencies(accm, direction, self.find(to)?);
        let rounds = self.latencies(accm, direction, subject).iter().zip(to);
        Some(median(&rounds.map(|(ours, theirs)| ours[0] - theirs[0]).collect::<Vec<_>>()))
    }

    pub(crate) fn resident_of(&self, subject: usize) -> Option<&[f64]> {
        self.resident.get(&subject).map(Vec::as_slice)
    }

    pub(crate) fn first_offer_of(&self, subject: usize) -> Option<&[f64]> {
        self.first_offer.get(&subject).map(Vec::as_slice)
    }

    fn write_overload(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\noverload: the modem takes half of what the host sends, {LARGE} octets")?;
        for ((accm, subject), runs) in &self.overload {
            let sum = |number: fn(&Overload) -> u64| runs.iter().map(number).sum::<u64>();
            writeln!(
                f,
                "  ACCM {accm:08x}  {:<24}  offered {:>6}  whole {:>6}  damaged {:>5}",
                self.subjects[*subject].name(),
                sum(|run| run.offered),
                sum(|run| run.good),
                sum(|run| run.damaged),
            )?;
        }
        Ok(())
    }

    fn write_process(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nmemory and start")?;
        for (number, subject) in self.subjects.iter().enumerate() {
            let resident = self.resident.get(&number).map_or(0.0, |values| median(values));
            write!(f, "  {:<24}  resident {resident:>6.0} kB", subject.name())?;
            if let Some(times) = self.first_offer.get(&number) {
                write!(f, "  start to first PADO {:>6.1} ms", median(times))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// Every number of every measurement.
    pub(crate) fn to_json(&self) -> String {
        let mut entries = Vec::new();
        for ((work, subject), runs) in &self.throughput {
            let list = |number: fn(&Throughput) -> f64| list(runs.iter().map(number));
            entries.push(format!(
                "{{{}, \"frames_per_second\": {}, \"processor_ns_per_frame\": {}, \"lost\": {}, \"damaged\": {}}}",
                self.json_key(*work, *subject),
                list(frames_per_second),
                list(processor_time),
                list(|run| run.lost as f64),
                list(|run| run.damaged as f64),
            ));
        }
        let mut latencies = Vec::new();
        for ((work, subject), rounds) in &self.latency {
            latencies.push(format!(
                "{{{}, \"p50_us\": {}, \"p99_us\": {}}}",
                self.json_key(*work, *subject),
                list(rounds.iter().map(|round| round[0])),
                list(rounds.iter().map(|round| round[1])),
            ));
        }
        let mut overloads = Vec::new();
        for ((accm, subject), runs) in &self.overload {
            overloads.push(format!(
                "{{\"accm\": \"{accm:08x}\", \"subject\": \"{}\", \"offered\": {}, \"good\": {}, \"damaged\": {}}}",
                self.subjects[*subject].name(),
                list(runs.iter().map(|run| run.offered as f64)),
                list(runs.iter().map(|run| run.good as f64)),
                list(runs.iter().map(|run| run.damaged as f64)),
            ));
        }
        let mut processes = Vec::new();
        for (number, subject) in self.subjects.iter().enumerate() {
            let values =
                |of: &BTreeMap<usize, Vec<f64>>| list(of.get(&number).into_iter().flatten().copied());
            processes.push(format!(
                "{{\"subject\": \"{}\", \"resident_kb\": {}, \"first_pado_ms\": {}}}",
                subject.name(),
                values(&self.resident),
                values(&self.first_offer),
            ));
        }
        let array = |entries: Vec<String>| format!("[\n    {}\n  ]", entries.join(",\n    "));
        format!(
            "{{\n  {},\n  \"throughput\": {},\n  \"latency\": {},\n  \"overload\": {},\n  \"process\": {}\n}}\n",
            self.machine.to_json(),
            array(entries),
            array(latencies),
            array(overloads),
            array(processes)
        )
    }

    fn json_key(&self, (accm, size, direction): WorkOrder, subject: usize) -> String {
        format!(
            "\"accm\": \"{accm:08x}\", \"octets\": {}, \"direction\": \"{}\", \"subject\": \"{}\"",
            SIZES[size],
            Direction::ALL[direction].name(),
            self.subjects[subject].name()
        )
    }

    /// Writes `text` and the JSON into `directory`, under the time of the start.
    pub(crate) fn save(&self, directory: &Path, text: &str) -> Result<(), Failure> {
        fs::create_dir_all(directory)?;
        let name = directory.join(self.machine.started.to_string());
        fs::write(name.with_extension("txt"), text)?;
        fs::write(name.with_extension("json"), self.to_json())?;
        eprintln!("saved as {}.txt and .json", name.display());
        Ok(())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine.description())?;
        writeln!(
            f,
            "CPU: time of the process per frame. forwarder, filled, rp-pppoe: CPU in relation to that of the bare \
             forwarder, of the one that fills up to as many octets, and of rp-pppoe; medians."
        )?;
        for accm in MAPS {
            for size in SIZES {
                for direction in Direction::ALL {
                    self.write_throughput(f, (accm, size, direction))?;
                }
            }
        }
        self.write_latency(f)?;
        self.write_overload(f)?;
        self.write_process(f)?;
        write!(f, "{}", Goals::of(self))
    }
}

pub(crate) fn processor_time(run: &Throughput) -> f64 {
    run.processor_time_per_frame
}

pub(crate) fn frames_per_second(run: &Throughput) -> f64 {
    run.frames_per_second
}

fn list(values: impl Iterator<Item = f64>) -> String {
    let mut text = String::from("[");
    for (number, value) in values.enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        // A String takes everything.
        let _ = write!(text, "{comma}{value:.1}");
    }
    text + "]"
}

/// Where and when it was measured.
#[derive(Debug)]
struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
    /// Seconds since 1970.
    started: u64,
    load: String,
}

impl Machine {
    fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let information = read("/proc/cpuinfo");
        let model = information.lines().find_map(|line| line.strip_prefix("model name"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            processor: model.unwrap_or("unknown").trim_start_matches([' ', '\t', ':']).to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            started: now.as_secs(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    fn description(&self) -> String {
        let Self { processor, processors, kernel, started, load } = self;
        format!("{processor}, {processors} processors, Linux {kernel}; load {load} at the start, @{started}")
    }

    fn to_json(&self) -> String {
        let Self { processor, processors, kernel, started, load } = self;
        format!(
            "\"started\": {started},\n  \"processor\": \"{processor}\",\n  \"processors\": {processors},\n  \
             \"kernel\": \"{kernel}\",\n  \"load_at_start\": {load}"
        )
    }
}
