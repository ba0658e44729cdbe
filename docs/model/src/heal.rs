//! What one pair believes of each other, and how it heals (4.4.1-3, 4.12.5): a holder, its granter, and a rival who asks for the
//! granter's promise. Both restart; heartbeats, Confirms (or frames) and answers arrive late, again, or never. Begins with nothing
//! believed, or with what no honest shard ever said: an incarnation, and a span, far ahead.
use std::collections::HashSet;

macro_rules! bugs { ($($n:ident $d:literal),* $(,)?) => {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)] pub enum Bug { $($n),* }
    pub const BUGS: &[(Bug, &str)] = &[$((Bug::$n, $d)),*];
} }
bugs! {
    Amended "the rules",
    AgeingUnprotects "when another incarnation of the holder is believed, what was acknowledged to the one before is protected no more",
    ReachesPastRestart "a granter keeps no wait after its start, though the span of its former life gives way to none",
    SpanUncounted "an acknowledgement within an earlier span counts",
    HealConfirms "where a span that runs takes the place of a later one that does not, the acknowledgement is taken over too",
    HighestForEver "an incarnation is believed for ever",
    SpanForEver "a held span gives way to later ones only",
}
const L: u8 = 2;
const WRONG: u8 = 9;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Grant { inc: u8, span: u8, until: u8, heard: u8, former: u8 }
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum M { Beat(u8, u8), Confirm(u8, u8, u8), Seen { to: u8, life: u8, span: u8, sent: u8, ballot: u8 } }
#[derive(Clone, PartialEq, Eq, Hash)]
struct S {
    now: u8, h: u8, g: u8, wait: u8, grant: Grant, acked: u8, ackto: u8, prom: u8, rivals: bool, ballots: u8,
    holding: (u8, u8, u8), leads: u8, conf: (u8, u8), restarts: u8, msgs: Vec<M>,
}
#[derive(Clone, Copy, Debug)]
enum A { Tick, Beat, Confirm, Hear(u8), Elect, Rival, RestartH, RestartG }
struct C { bug: Bug, ticks: u8, ballots: u8, restarts: u8, msgs: usize }

fn init(wrong: bool) -> S {
    let inc = if wrong { WRONG } else { 0 };
    S { now: 3, h: 1, g: 1, wait: 0, grant: Grant { inc, span: 0, until: 0, heard: 0, former: 0 }, acked: 0, ackto: 0, prom: 0, rivals: false, ballots: 0,
        holding: if wrong { (WRONG, WRONG, 0) } else { (0, 0, 0) }, leads: 0, conf: if wrong { (WRONG, WRONG) } else { (0, 0) }, restarts: 0, msgs: vec![] }
}
fn renew(s: &mut S) { if s.now >= s.grant.until { s.grant.span += 1; } s.grant.until = s.now + L; }
fn protected(s: &S) -> bool {
    let until = if s.ackto == s.grant.inc { s.grant.until } else { s.grant.former };
    s.prom != 0 && !s.rivals && s.acked == s.prom && s.now < until
}
fn leased(s: &S, c: &C) -> bool {
    let (life, span, until) = s.holding;
    s.leads != 0 && s.now < until && (s.conf == (life, span) || (c.bug == Bug::SpanUncounted && s.conf != (0, 0)))
}
fn say(s: &mut S, m: M) { if !s.msgs.contains(&m) { s.msgs.push(m); s.msgs.sort_by_key(|x| format!("{x:?}")); } }
fn apply(s: &mut S, c: &C, a: A) -> bool {
    match a {
        A::Tick => { if s.now >= c.ticks { return false; } s.now += 1; }
        A::Beat | A::Confirm => {
            let m = if matches!(a, A::Beat) { M::Beat(s.h, s.now) } else { if s.leads == 0 { return false; } M::Confirm(s.h, s.leads, s.now) };
            if s.msgs.contains(&m) || s.msgs.len() >= c.msgs { return false; }
            say(s, m);
        }
        A::Hear(j) => match match s.msgs.get(j as usize) { Some(&m) => m, None => return false } {
            M::Beat(inc, sent) => {
                let silent = s.now - s.grant.heard >= L && c.bug != Bug::HighestForEver;
                if inc < s.grant.inc && !silent { return false; }
                s.grant.heard = s.now;
                if inc != s.grant.inc {
                    if c.bug != Bug::AgeingUnprotects { s.grant.former = s.grant.former.max(s.grant.until); }
                    s.grant.until = 0; s.grant.inc = inc;
                }
                renew(s);
                say(s, M::Seen { to: inc, life: s.g, span: s.grant.span, sent, ballot: 0 });
            }
            M::Confirm(inc, b, sent) => {
                if s.rivals || b != s.prom { return false; }
                renew(s);
                s.acked = b; s.ackto = s.grant.inc;
                say(s, M::Seen { to: inc, life: s.g, span: s.grant.span, sent, ballot: b });
            }
            M::Seen { to, life, span, sent, ballot } => {
                if to != s.h { return false; }
                let (until, held) = (sent + L, s.holding);
                let runs = s.now >= held.2 && s.now < until && c.bug != Bug::SpanForEver;
                if held.0 == 0 || runs || (life, span) > (held.0, held.1) { s.holding = (life, span, until); if c.bug == Bug::HealConfirms && (life, span) < (held.0, held.1) { s.conf = (life, span); } }
                else if (life, span) == (held.0, held.1) { s.holding.2 = held.2.max(until); }
                if ballot != 0 && ballot == s.leads {
                    let now_runs = s.now < s.holding.2 && (s.holding.0, s.holding.1) == (life, span);
                    if (life, span) > s.conf || (now_runs && c.bug != Bug::SpanForEver) { s.conf = (life, span); }
                }
            }
        },
        A::Elect => { // the granter promises to the holder
            if s.ballots >= c.ballots || s.now < s.wait { return false; }
            s.ballots += 1; s.prom = s.ballots; s.rivals = false; s.leads = s.ballots;
            if s.conf.0 != WRONG { s.conf = (0, 0); }
        }
        A::Rival => { if s.ballots >= c.ballots || s.now < s.wait || protected(s) { return false; } s.ballots += 1; s.prom = s.ballots; s.rivals = true; }
        A::RestartH => { if s.restarts >= c.restarts { return false; } s.restarts += 1; s.h += 1; s.holding = (0, 0, 0); s.leads = 0; s.conf = (0, 0); }
        A::RestartG => {
            if s.restarts >= c.restarts { return false; }
            s.restarts += 1; s.g += 1; s.grant = Grant { inc: 0, span: 0, until: 0, heard: 0, former: 0 }; s.acked = 0; s.ackto = 0;
            s.wait = if c.bug == Bug::ReachesPastRestart { 0 } else { s.now + L };
        }
    }
    true
}
/// A holder that counts the grant at its ballot is one whose granter still has promised that ballot.
fn check(s: &S, c: &C) -> Result<(), String> {
    if leased(s, c) && (s.rivals || s.prom != s.leads) { return Err(format!("lease of ballot {} counted, promised is {}{}", s.leads, s.prom, if s.rivals { " to another" } else { "" })); }
    // Bounded liveness: from here on nothing is lost or late, and a leader is given its lease; and one that is silent gives way.
    let free = C { ticks: 200, ballots: 200, msgs: 200, ..*c };
    let (mut t, mut u) = (s.clone(), s.clone());
    t.msgs.clear(); u.msgs.clear();
    for turn in 0..6 * L {
        if t.rivals || t.leads != t.prom || t.leads == 0 { apply(&mut t, &free, A::Elect); }
        if turn > 4 * L && !leased(&t, c) { return Err("liveness: a leader whose messages all arrive gets no lease, or keeps none".into()); }
        for a in [A::Beat, A::Confirm] {
            if matches!(a, A::Confirm) && leased(&t, c) { continue; } // asked where the lease is missing
            t.msgs.clear();
            apply(&mut t, &free, a); apply(&mut t, &free, A::Hear(0));
            if let Some(j) = t.msgs.iter().position(|m| matches!(m, M::Seen { .. })) { apply(&mut t, &free, A::Hear(j as u8)); }
        }
        apply(&mut t, &free, A::Tick); apply(&mut u, &free, A::Tick);
    }
    if !apply(&mut u, &free, A::Rival) { return Err("liveness: a holder that is silent is protected for ever".into()); }
    Ok(())
}
fn explore(c: &C, wrong: bool, limit: usize) -> (Option<(String, Vec<String>)>, usize, usize, bool) {
    let mut seen: HashSet<S> = HashSet::new();
    let (mut layer, mut depth) = (vec![(init(wrong), vec![])], 0);
    while !layer.is_empty() {
        let mut next = vec![];
        for (s, path) in &layer {
            let acts = [A::Tick, A::Beat, A::Confirm, A::Elect, A::Rival, A::RestartH, A::RestartG].into_iter().chain((0..s.msgs.len() as u8).map(A::Hear));
            for a in acts {
                let mut t = s.clone();
                if !apply(&mut t, c, a) || !seen.insert(t.clone()) { continue; }
                let mut p: Vec<String> = path.clone();
                if c.bug != Bug::Amended { p.push(match a { A::Hear(j) => format!("Hear{:?}", s.msgs[j as usize]), x => format!("{x:?}") }); }
                if let Err(e) = check(&t, c) { return (Some((e, p)), seen.len(), depth, false); }
                next.push((t, p));
            }
            if seen.len() >= limit { return (None, seen.len(), depth, false); }
        }
        depth += 1;
        layer = next;
    }
    (None, seen.len(), depth, true)
}
pub fn main(a: &[String]) {
    let limit = a.first().and_then(|x| x.parse().ok()).unwrap_or(1_000_000);
    for &(bug, text) in BUGS {
        for wrong in [false, true] {
            let c = C { bug, ticks: 3 + 3 * L, ballots: 2, restarts: 2, msgs: 7 };
            let (bad, n, depth, all) = explore(&c, wrong, limit);
            let from = if wrong { "wrong beliefs" } else { "nothing" };
            match bad {
                Some((e, p)) => println!("{bug:?} from {from}: VIOLATION after {n} states: {e} | {}", p.join(" ")),
                None => println!("{bug:?} from {from}: no violation, {n} states, depth {depth}{} | {text}", if all { ", all" } else { "" }),
            }
        }
    }
}
