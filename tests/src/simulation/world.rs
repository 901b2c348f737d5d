//! The world: nodes, the streams between them, and one queue of what happens when.

mod driving;
mod mallory;
mod node;
mod queue;
mod streams;

pub(super) use queue::Event;

use super::audit::Audit;
use super::links::Spot;
use super::people::People;
use super::plan::Plan;
use super::report::{Delivered, Report};
use super::rhythm::Rhythm;
use super::tally::Tally;
use super::{dice, graph};
use crate::random::Random;
use node::Node;
use queue::Queue;
use streams::Ends;

/// Who was awake for so long since a post could have it.
const AWAKE_MS: u64 = 1_800_000;

/// Everything that there is.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) random: Random,
    pub(super) now_ms: u64,
    pub(super) people: People,
    pub(super) nodes: Vec<Node>,
    pub(super) ends: Ends,
    queue: Queue,
    pub(super) tally: Tally,
    pub(super) audit: Audit,
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let follows = graph::follow_graph(plan.nodes, plan.follows, &mut random);
        let people = People::new(plan.nodes, plan.history, &mut random);
        let mut nodes: Vec<Node> = Vec::with_capacity(plan.nodes);
        for (number, follows) in follows.into_iter().enumerate() {
            let rhythm = Rhythm::new(&plan, &mut random);
            nodes.push(Node::new(number as u32, follows, rhythm, Spot::new(&mut random), random.number()));
        }
        let mut world = Self {
            plan,
            random,
            now_ms: 0,
            people,
            nodes,
            ends: Ends::default(),
            queue: Queue::default(),
            tally: Tally::new(&plan),
            audit: Audit::default(),
        };
        world.choose_mallory();
        world.choose_keepers();
        world.fill_stores();
        world.plan_days();
        world
    }

    /// Each author is kept by one node that never sleeps, found by the table (`KEEP-4`).
    fn choose_keepers(&mut self) {
        let always: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|at| self.nodes[*at as usize].rhythm.is_always_on).collect();
        if always.is_empty() {
            return;
        }
        for author in 0..self.nodes.len() as u32 {
            let keeper = *self.random.pick(&always);
            if keeper != author {
                self.nodes[keeper as usize].keeps.push(author);
                self.nodes[author as usize].keepers.push(keeper);
            }
        }
    }

    fn fill_stores(&mut self) {
        for node in &mut self.nodes {
            node.store.own(node.number, self.people.of(node.number));
            node.follows.iter().chain(&node.keeps).for_each(|author| node.store.want(*author));
        }
    }

    fn plan_days(&mut self) {
        let (from, to) = (self.plan.measured_from_ms(), self.plan.healing_from_ms());
        for at in 0..self.nodes.len() {
            let node = at as u32;
            for (wake, sleep) in self.nodes[at].rhythm.spans.clone() {
                // Not all in the same moment, which the first and the last hour would be.
                let late = self.random.below(60_000);
                self.schedule(wake + late, Event::Wake { node });
                self.schedule(sleep.max(wake + late), Event::Sleep { node });
            }
            for _ in 0..dice::count(&mut self.random, self.plan.posts as f64) {
                if let Some(at_ms) = self.nodes[at].rhythm.some_time(from, to, &mut self.random) {
                    self.schedule(at_ms, Event::Post { node });
                }
            }
        }
        self.schedule(super::audit::AUDIT_MS, Event::Audit);
        self.schedule(from, Event::MeasureFrom);
        self.schedule(to, Event::MeasureTo);
    }

    pub(super) fn schedule(&mut self, at_ms: u64, event: Event) {
        self.queue.push(at_ms, event);
    }

    /// Lets all of it happen, and says what came of it.
    pub(super) fn live(mut self) -> Report {
        let (end, mut day) = (self.plan.end_ms(), Delivered::default());
        while let Some((at_ms, event)) = self.queue.pop() {
            if at_ms >= end {
                break;
            }
            self.now_ms = at_ms;
            match event {
                Event::MeasureFrom => self.begin_measuring(),
                Event::MeasureTo => {
                    self.end_measuring();
                    day = self.delivered();
                }
                event => self.happen(event),
            }
        }
        let healed = self.delivered();
        Report::new(&self, day, healed)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Frame { end, body } => self.arrive(end, body),
            Event::Work { end, node, work } => self.work(end, node, work),
            Event::Tick { end } => self.tick(end),
            Event::Cut { end } => self.cut(end),
            Event::Wake { node } => self.wake(node),
            Event::Sleep { node } => self.sleep(node),
            Event::Review { node, round } => self.review(node, round),
            Event::Dial { node, round } => self.dial_missing(node, round),
            Event::Dialled { from, to } => self.dialled(from, to),
            Event::Post { node } => self.post(node),
            Event::Flood { end } => self.flood(end),
            Event::Audit => self.audit(),
            Event::MeasureFrom | Event::MeasureTo => {}
        }
    }

    /// From now on bytes and deliveries count.
    fn begin_measuring(&mut self) {
        self.settle_pings();
        let steps = self.tally.steps;
        let (gaps, refused_honest) =
            (std::mem::take(&mut self.tally.gaps), std::mem::take(&mut self.tally.refused_honest));
        self.tally = Tally { steps, gaps, refused_honest, checked: self.tally.checked, ..Tally::new(&self.plan) };
        self.tally.is_measuring = true;
    }

    fn end_measuring(&mut self) {
        self.settle_pings();
        self.tally.is_measuring = false;
    }

    /// An author writes, and all streams of its node hear of it.
    fn post(&mut self, node: u32) {
        if !self.nodes[node as usize].is_awake {
            return;
        }
        self.people.authors[node as usize].publish(self.now_ms, &mut self.random);
        let news = self.nodes[node as usize].store.published(node, self.people.of(node));
        news.into_iter().for_each(|news| self.tell(node, &news));
    }

    /// Of what honest authors wrote on the measured day and honest followers want: how much of it they hold.
    fn delivered(&self) -> Delivered {
        let mut delivered = Delivered::default();
        for node in self.nodes.iter().filter(|node| node.mallory.is_none()) {
            for author in node.follows.iter().filter(|author| self.nodes[**author as usize].mallory.is_none()) {
                let times = &self.people.of(*author).times_ms;
                let first = times.partition_point(|at| *at < self.plan.measured_from_ms()) as u64;
                let (there, height) = (times.len() as u64, node.store.height(*author).max(first));
                let slept =
                    times[height as usize..].iter().filter(|at| node.rhythm.awake_ms(**at, self.now_ms) < AWAKE_MS);
                delivered.all.add(height - first, there - first);
                delivered.awake.add(height - first, there - first - slept.count() as u64);
                if self.nodes[*author as usize].is_victim {
                    delivered.of_victims.add(height - first, there - first);
                }
            }
        }
        delivered
    }
}
