//! Two partitions on the same shards, and what the shards say per pair (4.2.7, 4.5.4): Accepts in frames with one answer, commit
//! points that are numbered per pair, and one stamp of freshness for all of them. Each partition is the model of protocol.rs, with
//! the same clock and the same restarts.
//! What was sent stays in `msgs`, `frames`, `beats`: it may arrive any number of times, in any order, or never.
use crate::protocol::*;
use crate::types::*;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

const P: usize = 2;
const SH: usize = 5;

macro_rules! bugs { ($($n:ident $d:literal),* $(,)?) => {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)] pub enum Bug { $($n),* }
    pub const BUGS: &[(Bug, &str)] = &[$((Bug::$n, $d)),*];
} }
bugs! {
    Amended "the rules",
    // 4.5.4
    StampOutrunsPoints "commit points that were sent count as heard, and a stamp vouches for them",
    StampBeforePoints "a stamp counts for who has not heard all that was told before it",
    FreshAfterStepDown "a stamp vouches for a partition that its sender no longer leads",
    StampWithoutLook "a stamp is made without looking whether what was told as fresh still has its lease",
    HeardOutlivesTeller "what was heard of a former life of the teller counts for its present one",
    StampOfOtherLife "a stamp that echoes a former life's clock is read on the present one",
    StampUnreached "a stamp vouches for a commit point that the replica has not reached",
    ForgettingKeepsStamp "three late messages make the hearer hear anew, and what it hears is vouched for by the last stamp",
    // 4.2.7
    AnswerCoversAll "the answer to a frame acknowledges what was refused too",
    AnswerOfOtherLife "an answer is taken without asking whose life it answers; numbers begin anew with each",
    AnswerAtPresentBallot "an answer counts for the ballot that the sender leads at now",
    AnswerTorn "a frame is answered before it is durable, and a crash leaves its first part",
    AnswerConfirmsAll "an answer confirms the lease of every partition of the frame, refused ones too",
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Point { p: u8, b: u8, ep: u8, c: u8, fresh: bool }
/// What a teller keeps for its hearer.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Told { inc: u8, ans: u16, tell: [Option<(Point, u8)>; P], last: u8, heard: u8, sent: u8, echo: Option<(u16, u8)> }
/// What a hearer keeps of its teller. `at`: 1 + own time that the last stamp echoes.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Heard { inc: u8, believed: u8, heard: u8, late: u8, pts: [Option<Point>; P], at: u16, kept: [(u16, u8); P] }
#[derive(Clone, PartialEq, Eq, Hash)]
struct Msg { inc: u8, after: u8, upto: u8, pts: Vec<Point>, stamp: Option<(u16, u8)> }
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Part { p: u8, i: u8, n: u8 } // entry n of the leadership's history: the barrier, then its revisions
#[derive(Clone, PartialEq, Eq, Hash)]
struct Frame { from: u8, to: u8, inc: u8, num: u8, sent: u16, parts: Vec<Part> }
#[derive(Clone, PartialEq, Eq, Hash)]
struct Answer { to: u8, from: u8, inc: u8, num: u8, except: u8, gens: [u8; P], sent: u16 }
#[derive(Clone, PartialEq, Eq, Hash)]
struct W2 {
    p: Vec<S>, inc: [u8; SH], bounces: u8,
    told: Told, heard: Heard, msgs: Vec<Msg>, beats: Vec<(bool, u8, u16)>, replies: Vec<(u8, u8, u8, u16)>, // one pair: shard A tells shard B
    frames: Vec<Frame>, log: Vec<Frame>, answers: Vec<Answer>, num: [u8; SH], streamed: [[[u8; SH]; SH]; P],
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum A {
    P(u8, Act), Bounce(u8), Tick,
    Beat, Take(u8), HearBeat(u8), Echo, HearEcho(u8), Reply(u8),
    Send(u8, u8), Again(u8, u8), Recv(u8, u8), Torn(u8), Ans(u8),
}
#[derive(Clone)]
struct C2 { c: Cfg, bug: Bug, stamps: bool, frames: usize, msgs: usize, bounces: u8, refuse: bool, prefix: &'static str }
const TELLER: u8 = 0;
const HEARER: u8 = 1;

fn owner(b: u8) -> u8 { b & 7 }
fn leads(w: &W2, p: usize, l: u8) -> u8 { lead(&w.p[p], l).map_or(0, |x| x.b) }
fn init2(c: &C2) -> W2 {
    W2 { p: vec![init(&c.c, [1; N]); P], inc: [1; SH], bounces: 0, told: Told { inc: 1, ..Told::default() }, heard: Heard { inc: 1, believed: 1, ..Heard::default() }, msgs: vec![], beats: vec![], replies: vec![], frames: vec![], log: vec![], answers: vec![], num: [0; SH], streamed: [[[0; SH]; SH]; P] }
}
/// A life's clock: of a later life it shows less, so that an old reading looks late on it.
fn clock(w: &W2, r: u8) -> u16 { 50 + w.p[0].now - 9 * (w.inc[r as usize] as u16 - 1) }
fn true_time(w: &W2, r: u8, reading: u16) -> u16 { (reading + 9 * (w.inc[r as usize] as u16 - 1)).saturating_sub(50) }
fn note(t: &mut Told, point: Point) {
    let p = point.p as usize;
    if t.tell[p].map_or(false, |x| x.0 == point) { return; }
    t.last += 1;
    t.tell[p] = Some((point, t.last));
}
fn withdraw(t: &mut Told, p: usize) { if let Some((x, _)) = t.tell[p] { if x.fresh { note(t, Point { fresh: false, ..x }); } } }
/// Does the stamp, or may it, vouch for what was told of partition p?
fn vouches(w: &W2, c: &C2, p: usize) -> Option<(u16, u8)> {
    let (x, r) = (w.heard.pts[p]?, &w.p[p].reps[HEARER as usize]);
    let fits = x.fresh && x.b == r.pos.b && x.b >= r.prom && x.ep == r.ep && (r.c >= x.c || c.bug == Bug::StampUnreached);
    if fits && w.heard.at > 0 { Some((w.heard.at - 1, x.c)) } else { None }
}
fn remember(w: &mut W2, c: &C2, p: usize) { if let Some((at, com)) = vouches(w, c, p) { if at + 1 > w.heard.kept[p].0 { w.heard.kept[p] = (at + 1, com); } } }
fn take(w: &mut W2, c: &C2, j: usize) -> bool {
    let m = w.msgs[j].clone();
    let before = w.heard.clone();
    if w.heard.inc != m.inc {
        if w.heard.inc > m.inc && m.inc != w.heard.believed { return false; }
        for p in 0..P { remember(w, c, p); }
        let h = &mut w.heard;
        h.inc = m.inc;
        if c.bug != Bug::HeardOutlivesTeller { h.heard = 0; h.late = 0; h.pts = [None; P]; h.at = 0; }
    }
    let stamp_counts = |heard: u8| heard >= m.upto || matches!(c.bug, Bug::StampOutrunsPoints | Bug::StampBeforePoints);
    if m.upto > w.heard.heard && (w.heard.heard >= m.after || c.bug == Bug::StampOutrunsPoints) {
        for x in &m.pts {
            remember(w, c, x.p as usize);
            w.heard.pts[x.p as usize] = Some(*x);
            let rep = &mut w.p[x.p as usize].reps[HEARER as usize]; // 4.2.5
            if rep.pos.b == x.b && rep.ep == x.ep { rep.c = rep.c.max(x.c.min(rep.pos.r)); }
        }
        w.heard.heard = m.upto;
    }
    if let Some((echo, life)) = m.stamp {
        if (life == w.inc[HEARER as usize] || c.bug == Bug::StampOfOtherLife) && stamp_counts(w.heard.heard) {
            let at = true_time(w, HEARER, echo) + 1;
            w.heard.at = w.heard.at.max(at);
        }
    }
    w.heard.late = if m.upto < w.heard.heard { w.heard.late + 1 } else { 0 };
    if w.heard.late >= 3 {
        if c.bug != Bug::ForgettingKeepsStamp { for p in 0..P { remember(w, c, p); } w.heard.at = 0; }
        w.heard.late = 0;
        w.heard.heard = 0;
    }
    w.heard != before
}
/// One partition learns what the pair has heard of its leader, once its rows are at that ballot.
fn commit_heard(w: &mut W2, p: usize) {
    if let Some(x) = w.heard.pts[p] {
        let rep = &mut w.p[p].reps[HEARER as usize];
        if rep.pos.b == x.b && rep.ep == x.ep { rep.c = rep.c.max(x.c.min(rep.pos.r)); }
    }
}
fn apply2(w: &mut W2, c: &C2, a: A) -> R {
    macro_rules! guard { ($e:expr) => { if !($e) { return R::No; } } }
    let was: [[u8; SH]; P] = std::array::from_fn(|p| std::array::from_fn(|l| if l < c.c.n { leads(w, p, l as u8) } else { 0 }));
    match a {
        A::P(p, x) => {
            let s = &mut w.p[p as usize];
            if let (Act::Recv(g, i), true) = (x, c.c.framed) { guard!((i as usize) < s.recs.len() && owner(s.recs[i as usize].b) == g); }
            if let Act::Recv(_, i) = x { guard!((i as usize) < s.recs.len()); }
            match apply(s, &c.c, x) { R::Ok => {} r => return r }
            commit_heard(w, p as usize);
        }
        A::Bounce(r) => {
            guard!(w.bounces < c.bounces);
            w.bounces += 1;
            for s in w.p.iter_mut() { s.bounces = 0; if let R::Bad(e) = apply(s, &Cfg { bounces: 1, ..c.c.clone() }, Act::Bounce(r)) { return R::Bad(e); } s.bounces = 0; }
            w.inc[r as usize] += 1;
            w.num[r as usize] = 0;
            w.log.retain(|f| f.from != r);
            if r == TELLER { w.told = Told { inc: w.told.inc, ..Told::default() }; }
            if r == HEARER { w.heard = Heard::default(); }
        }
        A::Tick => {
            guard!(c.c.time && w.p[0].now < c.c.ticks);
            for s in w.p.iter_mut() { apply(s, &c.c, Act::Tick); }
        }
        A::Beat => { // looks at all it leads, tells what changed, and a stamp; then the heartbeat
            guard!(c.stamps && w.msgs.len() < c.msgs);
            for p in 0..P {
                let Some(x) = lead(&w.p[p], TELLER) else { continue };
                let (b, bar, ep, com) = (x.b, x.bar, w.p[p].reps[0].ep, w.p[p].reps[0].c);
                let fresh = bar && lease_valid(&w.p[p], &c.c, TELLER);
                let told = w.told.tell[p].map_or(false, |y| y.0.fresh && y.0.b == b);
                note(&mut w.told, Point { p: p as u8, b, ep, c: com, fresh: fresh || (c.bug == Bug::StampWithoutLook && told) });
            }
            let t = &mut w.told;
            let known = if c.bug == Bug::StampOutrunsPoints { t.sent } else { t.heard };
            let mut pts: Vec<(Point, u8)> = t.tell.iter().flatten().filter(|x| x.1 > known).copied().collect();
            pts.sort_by_key(|x| x.1);
            let any = t.tell.iter().flatten().any(|x| x.0.fresh);
            let stamp = if any { t.echo } else { None };
            guard!(!pts.is_empty() || stamp.is_some());
            let m = Msg { inc: w.inc[0], after: known, upto: t.last, pts: pts.into_iter().map(|x| x.0).collect(), stamp };
            t.sent = t.last;
            guard!(!w.msgs.contains(&m));
            w.msgs.push(m);
            let beat = (true, w.inc[0], clock(w, TELLER));
            if !w.beats.contains(&beat) { w.beats.push(beat); }
        }
        A::Take(j) => { guard!((j as usize) < w.msgs.len()); guard!(take(w, c, j as usize)); for p in 0..P { commit_heard(w, p); } }
        A::HearBeat(j) => { // of the teller; the answer says how far was heard (what incarnation is believed may go back: 4.12.5)
            guard!((j as usize) < w.beats.len() && w.beats[j as usize].0);
            let (_, inc, at) = w.beats[j as usize];
            let heard = if w.heard.inc == inc { w.heard.heard } else { 0 };
            let reply = (inc, w.inc[1], heard, at);
            guard!(w.heard.believed != inc || !w.replies.contains(&reply));
            w.heard.believed = inc;
            if !w.replies.contains(&reply) { w.replies.push(reply); if w.replies.len() > 3 { w.replies.remove(0); } }
        }
        A::Reply(j) => {
            guard!((j as usize) < w.replies.len());
            let (life, inc, heard, at) = w.replies[j as usize];
            let t = &mut w.told;
            guard!(life == w.inc[0] && inc == t.inc && at >= t.ans && heard <= t.last && (t.ans, t.heard) != (at, heard));
            t.ans = at; t.heard = heard;
        }
        A::Echo => { // the hearer's heartbeat
            guard!(c.stamps);
            let beat = (false, w.inc[1], clock(w, HEARER));
            guard!(!w.beats.contains(&beat) && w.beats.iter().filter(|x| !x.0).count() < 4);
            w.beats.push(beat);
        }
        A::HearEcho(j) => {
            guard!((j as usize) < w.beats.len() && !w.beats[j as usize].0);
            let (_, inc, at) = w.beats[j as usize];
            guard!(w.told.echo != Some((at, inc)));
            if inc != w.told.inc { let t = &mut w.told; t.inc = inc; t.ans = 0; t.sent = 0; t.heard = 0; }
            w.told.echo = Some((at, inc));
        }
        A::Send(l, g) => {
            guard!(l != g && w.frames.len() < c.frames);
            let mut parts = vec![];
            for p in 0..P {
                let Some(x) = lead(&w.p[p], l) else { continue };
                let (i, rec) = (x.i, &w.p[p].recs[x.i as usize]);
                for _ in 0..2 { let n = w.streamed[p][l as usize][g as usize]; if n as usize <= rec.rows.len() { parts.push(Part { p: p as u8, i, n }); w.streamed[p][l as usize][g as usize] += 1; } }
            }
            guard!(!parts.is_empty());
            w.num[l as usize] += 1;
            let f = Frame { from: l, to: g, inc: w.inc[l as usize], num: w.num[l as usize], sent: w.p[0].reps[l as usize].clk, parts };
            w.log.push(f.clone());
            w.frames.push(f);
        }
        A::Again(l, g) => {
            let mut any = false;
            for p in 0..P {
                let Some(x) = lead(&w.p[p], l) else { continue };
                let base = w.p[p].recs[x.i as usize].base.r;
                let n = if x.acked[g as usize] == NONE { 0 } else { x.acked[g as usize] - base + 1 };
                any |= w.streamed[p][l as usize][g as usize] != n;
                w.streamed[p][l as usize][g as usize] = n;
            }
            guard!(any && l != g);
        }
        A::Recv(j, refused) => { // one transaction: all of it, or nothing. `refused`: what is not believed (4.12), true or not
            guard!((j as usize) < w.frames.len() && (refused == 0 || c.refuse));
            let f = w.frames[j as usize].clone();
            let (mut except, mut gens, g) = (0u8, [0; P], f.to as usize);
            for (n, x) in f.parts.iter().enumerate() {
                if refused >> n & 1 == 1 { except |= 1 << n; continue; }
                if !take_part(w, c, g, x) { except |= 1 << n; }
            }
            let all = (1u16 << f.parts.len()) as u8 - 1;
            guard!(except != all);
            if c.c.time { for p in 0..P { gens[p] = grant(&mut w.p[p], &c.c, g, f.from as usize); } }
            let answer = Answer { to: f.from, from: f.to, inc: f.inc, num: f.num, except, gens, sent: f.sent };
            if !w.answers.contains(&answer) { w.answers.push(answer); }
            for p in 0..P { commit_heard(w, p); }
        }
        A::Torn(j) => { // control: answered at once, then a crash
            guard!(c.bug == Bug::AnswerTorn && (j as usize) < w.frames.len() && w.bounces < c.bounces);
            let f = w.frames[j as usize].clone();
            guard!(f.parts.len() > 1 && take_part(w, c, f.to as usize, &f.parts[0]));
            w.answers.push(Answer { to: f.from, from: f.to, inc: f.inc, num: f.num, except: 0, gens: [0; P], sent: f.sent });
            return apply2(w, c, A::Bounce(f.to));
        }
        A::Ans(j) => {
            guard!((j as usize) < w.answers.len());
            let x = w.answers[j as usize].clone();
            guard!(x.inc == w.inc[x.to as usize] || c.bug == Bug::AnswerOfOtherLife);
            let Some(at) = w.log.iter().position(|f| (f.from, f.to, f.num) == (x.to, x.from, x.num)) else { return R::No };
            let f = w.log.remove(at);
            let (l, g) = (x.to, x.from);
            for (n, part) in f.parts.iter().enumerate() {
                let p = part.p as usize;
                let out = x.except >> n & 1 == 1;
                let s = &mut w.p[p];
                let Some(y) = lead(s, l) else { continue };
                if y.i != part.i && c.bug != Bug::AnswerAtPresentBallot { continue; }
                let i = y.i;
                if c.c.time && (!out || c.bug == Bug::AnswerConfirmsAll) {
                    hear(s, &c.c, l, g, x.gens[p], x.sent);
                    let (clk, held) = (s.reps[l as usize].clk, lead(s, l).unwrap().lease[g as usize]);
                    let runs = held.0 == x.gens[p] && held.1 > clk;
                    let y = lead_mut(s, l);
                    if x.gens[p] > y.conf[g as usize] || runs { y.conf[g as usize] = x.gens[p]; }
                }
                if out && c.bug != Bug::AnswerCoversAll { continue; }
                let r = (s.recs[i as usize].base.r + part.n).min(s.reps[l as usize].pos.r);
                let y = lead_mut(s, l);
                let a = &mut y.acked[g as usize];
                if *a == NONE || *a < r { *a = r; }
            }
        }
    }
    for p in 0..P { for l in 0..c.c.n as u8 {
        let (old, new) = (was[p][l as usize], leads(w, p, l));
        if old == new { continue; }
        w.streamed[p][l as usize] = [0; SH];
        if l == TELLER && old != 0 && c.bug != Bug::FreshAfterStepDown { withdraw(&mut w.told, p); }
    } }
    R::Ok
}
/// True where the entry is, in this transaction, in the rows.
fn take_part(w: &mut W2, c: &C2, g: usize, x: &Part) -> bool {
    let s = &mut w.p[x.p as usize];
    let rec = &s.recs[x.i as usize];
    let (b, base, pos) = (rec.b, rec.base, s.reps[g].pos);
    if b < s.reps[g].prom || rec.ep != s.reps[g].ep { return false; }
    if pos.b == b && pos.r >= base.r + x.n { s.reps[g].ackd = b; return true; }
    let before = if x.n == 0 { base } else { Pos { b, r: base.r + x.n - 1 } };
    pos == before && matches!(apply(s, &c.c, Act::Recv(g as u8, x.i)), R::Ok)
}
fn check2(w: &W2, c: &C2) -> Result<(), String> {
    for p in 0..P {
        check(&w.p[p], &c.c).map_err(|e| format!("partition {p}: {e}"))?;
        let (s, kept) = (&w.p[p], w.heard.kept[p]);
        let mine = s.reps[HEARER as usize].c;
        let claims = [vouches(w, c, p), if kept.0 > 0 && kept.1 <= mine { Some((kept.0 - 1, kept.1)) } else { None }];
        for (t, com) in claims.into_iter().flatten() {
            if let Some(r) = (com.min(mine) as usize..s.chosen.len()).find(|&r| s.at[r] < t) { return Err(format!("age: partition {p} claims all before {t} to be at or before {com}, misses revision {} of {}", r + 1, s.at[r])); }
        }
    }
    Ok(())
}
fn gen2(w: &W2, c: &C2, out: &mut Vec<(A, u8)>) {
    out.clear();
    let mut list = vec![];
    for p in 0..P {
        crate::gen(&w.p[p], &c.c, &mut list);
        for &(a, class) in &list { if !matches!(a, Act::Bounce(_) | Act::Tick | Act::Fresh(_) | Act::LearnC(..)) { out.push((A::P(p as u8, a), class)); } }
    }
    for r in 0..c.c.n as u8 { out.push((A::Bounce(r), 0)); }
    out.push((A::Tick, 22));
    if c.stamps {
        out.push((A::Beat, 13)); out.push((A::Echo, 12));
        for j in 0..w.msgs.len() as u8 { out.push((A::Take(j), 13)); }
        for j in 0..w.beats.len() as u8 { out.push((A::HearBeat(j), 12)); out.push((A::HearEcho(j), 13)); }
        for j in 0..w.replies.len() as u8 { out.push((A::Reply(j), 12)); }
    }
    if c.frames > 0 {
        for l in 0..c.c.n as u8 { for g in 0..c.c.n as u8 { out.push((A::Send(l, g), 13)); out.push((A::Again(l, g), 12)); } }
        for j in 0..w.frames.len() as u8 {
            for refused in 0..if c.refuse { 4 } else { 1 } { out.push((A::Recv(j, refused), 13)); }
            if c.bug == Bug::AnswerTorn { out.push((A::Torn(j), 13)); }
        }
        for j in 0..w.answers.len() as u8 { out.push((A::Ans(j), 13)); }
    }
}
fn scope2(name: &str) -> C2 {
    let b = crate::base();
    let timed = Cfg { k: 1, ops: 1, stands: 2, bounces: 0, time: true, lg: 2, ll: 2, ticks: 5, repair: false, ..b.clone() };
    let framed = Cfg { k: 1, ops: 2, stands: 2, bounces: 0, repair: false, framed: true, ..b.clone() };
    let c2 = C2 { c: timed.clone(), bug: Bug::Amended, stamps: false, frames: 0, msgs: 0, bounces: 0, refuse: false, prefix: "" };
    match name {
        "stamps" => C2 { stamps: true, msgs: 3, prefix: LED, ..c2 },
        "stampslives" => C2 { stamps: true, msgs: 3, bounces: 1, prefix: LED, ..c2 },
        "bigstamps" => C2 { c: Cfg { ops: 5, stands: 5, ticks: 30, repair: true, ins: 2, ..timed }, stamps: true, msgs: 14, bounces: 3, prefix: LED, ..c2 },
        "frames" => C2 { c: framed, frames: 3, bounces: 1, ..c2 },
        "framesrefused" => C2 { c: framed, frames: 3, refuse: true, prefix: BOTH, ..c2 },
        "bigframes" => C2 { c: Cfg { ops: 8, stands: 6, ..framed }, frames: 18, bounces: 4, refuse: true, ..c2 },
        "bigframelease" => C2 { c: Cfg { ops: 4, stands: 6, ticks: 24, framed: true, ..timed }, frames: 14, bounces: 2, refuse: true, ..c2 },
        "framelease" => C2 { c: Cfg { framed: true, ..timed }, frames: 3, refuse: true, prefix: BOTH, ..c2 },
        "late" => C2 { c: Cfg { ticks: 4, ..timed }, stamps: true, msgs: 4, prefix: LATE, ..c2 },
        "unheard" => C2 { c: Cfg { ticks: 4, ..timed.clone() }, stamps: true, msgs: 4, prefix: UNHEARD, ..c2 },
        "restarted" => C2 { c: Cfg { ticks: 5, stands: 2, ..timed }, stamps: true, msgs: 3, bounces: 1, prefix: RESTARTED, ..c2 },
        "lapsed" => C2 { c: Cfg { n: 5, init: 0b11111, ticks: 5, ..timed }, stamps: true, msgs: 3, prefix: LAPSED, ..c2 },
        "forgot" => C2 { c: Cfg { ticks: 3, ..timed }, stamps: true, msgs: 3, prefix: FORGOT, ..c2 },
        "parted" => C2 { c: Cfg { framed: true, stands: 2, ticks: 3, ..timed }, frames: 3, prefix: PARTED, ..c2 },
        x => panic!("no scope {x}"),
    }
}
/// Controls that a breadth-first run from a fixed beginning finds at once; the others are found by random walks.
const BY_BREADTH: [(Bug, &str); 8] = [
    (Bug::StampBeforePoints, "unheard"), (Bug::StampOutrunsPoints, "late"), (Bug::StampUnreached, "late"), (Bug::StampWithoutLook, "lapsed"), (Bug::HeardOutlivesTeller, "restarted"),
    (Bug::FreshAfterStepDown, "forgot"), (Bug::ForgettingKeepsStamp, "forgot"), (Bug::AnswerConfirmsAll, "parted"),
];
/// As LED, everything was told, then a write committed at 0 and 2, and the hearer's heartbeat came after it.
const LATE: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Commit(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0) 1:Recv(1,1) 1:Recv(2,1) 1:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) 1:HbSend(0) 1:HbRecv(1,0,0) Echo HearEcho(0) Beat Take(0) 0:New(0,0,0) 0:Recv(0,1) 0:Recv(2,1) 0:Commit(0) Tick Echo HearEcho(2)";
/// The hearer heard all, and began to hear anew after three late messages; then as LATE.
const UNHEARD: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) Echo HearEcho(0) Beat 1:Stand(0) 1:Promise(1,0) 1:Win(0) 1:Recv(1,1) 1:Recv(2,1) 1:Commit(0) Beat Take(1) HearBeat(1) Reply(0) Take(0) Take(0) Take(0) 0:New(0,0,0) 0:Recv(0,1) 0:Recv(2,1) 0:Commit(0) Tick Echo HearEcho(2)";
/// The teller restarted and leads partition 1 alone; 2 leads partition 0 and has committed a write there.
const RESTARTED: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Commit(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0) 1:Recv(1,1) 1:Recv(2,1) 1:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) 1:HbSend(0) 1:HbRecv(1,0,0) Echo HearEcho(0) Beat Take(0) Bounce(0) Tick Tick 1:Stand(0) 1:Promise(2,0) 1:Win(0) 1:Recv(1,2) 1:Commit(0) 1:HbSend(0) 1:HbRecv(1,0,0) 0:Stand(2) 0:Promise(0,2) 0:Win(2) 0:Recv(0,2) 0:New(2,0,0) 0:Recv(2,2) 0:Recv(0,2) 0:Commit(2) Tick Echo HearEcho(2)";
/// Five shards; the lease of 0 lapsed, 3 was elected without 0 and 1 and has committed a write.
const LAPSED: &str = "0:Stand(0) 0:Promise(1,0) 0:Promise(2,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Recv(4,1) 0:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) 0:HbRecv(2,0,0) Echo HearEcho(0) Beat Take(0) Tick Tick 0:Stand(3) 0:Promise(2,3) 0:Promise(4,3) 0:Win(3) 0:Recv(2,2) 0:Recv(4,2) 0:New(3,0,0) 0:Recv(3,2) 0:Recv(2,2) 0:Recv(4,2) 0:Commit(3) Tick Echo HearEcho(2)";
/// 0 passed partition 0 on to 2, which committed a write, and leads partition 1 still; the hearer knows all that was told.
const FORGOT: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Commit(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0) 1:Recv(1,1) 1:Recv(2,1) 1:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) 1:HbSend(0) 1:HbRecv(1,0,0) 1:HbRecv(2,0,0) Echo HearEcho(0) Beat Take(0) 0:Release(0) 0:RelRecv(2,1) 0:Stand(2) 0:Promise(0,2) 0:Win(2) 0:Recv(0,2) 0:New(2,0,0) 0:Recv(2,2) 0:Recv(0,2) 0:Commit(2) Tick Echo HearEcho(2) Beat Take(1)";
/// 0 won partition 0 with 2 and partition 1 with 1; then 2 won partition 0 with 1, and wrote there; a frame of 0 for both is on its way to 1.
const PARTED: &str = "0:Stand(0) 0:Promise(2,0) 0:Win(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0) 0:Stand(2) 0:Promise(1,2) 0:Win(2) Send(0,1) 0:New(2,0,0) 0:Recv(2,2) Send(2,1) Recv(1,0)";
/// 0 leads both partitions with a lease of 1 and 2.
const LED: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 0:Recv(1,1) 0:Recv(2,1) 0:Commit(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0) 1:Recv(1,1) 1:Recv(2,1) 1:Commit(0) 0:HbSend(0) 0:HbRecv(1,0,0) 1:HbSend(0) 1:HbRecv(1,0,0) Echo HearEcho(0)";
/// 0 won both partitions and has told nobody.
const BOTH: &str = "0:Stand(0) 0:Promise(1,0) 0:Win(0) 1:Stand(0) 1:Promise(1,0) 1:Win(0)";
fn word(a: &A) -> String { match a { A::P(p, x) => format!("{p}:{x:?}"), x => format!("{x:?}") }.replace(", ", ",") }
fn start2(c: &C2) -> (W2, Vec<A>) {
    let (mut w, mut acts, mut list) = (init2(c), vec![], vec![]);
    for x in c.prefix.split_whitespace() {
        gen2(&w, c, &mut list);
        let a = list.iter().find(|y| word(&y.0) == x).map(|y| y.0).unwrap_or_else(|| panic!("prefix {x}"));
        assert!(matches!(apply2(&mut w, c, a), R::Ok), "prefix {x}");
        acts.push(a);
    }
    (w, acts)
}
fn step(w: &W2, c: &C2, a: A) -> Option<(W2, Option<String>)> {
    let mut t = w.clone();
    match apply2(&mut t, c, a) { R::No => None, R::Ok => { let e = check2(&t, c).err(); Some((t, e)) } R::Bad(e) => Some((t, Some(e))) }
}
fn show2(acts: &[A]) -> String { acts.iter().map(word).collect::<Vec<_>>().join(" ") }
fn explore2(name: &str, c: &C2, limit: usize) {
    let (w0, _) = start2(c);
    let key = |w: &W2| { let mut h = crate::Fx::default(); w.hash(&mut h); h.finish() };
    let mut seen: HashSet<u64> = HashSet::new();
    seen.insert(key(&w0));
    let (mut layer, mut depth, mut list, t0) = (vec![w0], 0, vec![], std::time::Instant::now());
    while !layer.is_empty() {
        let mut next = vec![];
        for w in layer {
            gen2(&w, c, &mut list);
            for &(a, _) in &list {
                if let Some((t, bad)) = step(&w, c, a) {
                    if let Some(e) = bad { println!("{name} VIOLATION at depth {} after {} states: {e}, last {}", depth + 1, seen.len(), word(&a)); return; }
                    if seen.insert(key(&t)) { next.push(t); }
                }
            }
            if seen.len() >= limit { println!("{name} stopped: {} states, depth {depth} complete, {} s, no violation", seen.len(), t0.elapsed().as_secs()); return; }
        }
        depth += 1;
        layer = next;
    }
    println!("{name} exhausted: {} states, depth {depth}, {} s, no violation", seen.len(), t0.elapsed().as_secs());
}
fn walk2(c: &C2, len: usize, seed: u64) -> (Vec<A>, Option<String>) {
    let mut g = crate::Rng(seed.wrapping_mul(0x9E3779B97F4A7C15) | 1);
    for _ in 0..4 { g.next(); }
    let mut wt = crate::WEIGHT;
    for x in wt.iter_mut() { *x = (*x * [1, 4, 4, 4, 16][g.below(5) as usize]).max(1); }
    let ((mut w, mut acts), mut list) = (start2(c), vec![]);
    'step: while acts.len() < len {
        gen2(&w, c, &mut list);
        loop {
            if list.is_empty() { break 'step; }
            let mut has = [0u64; 23];
            for x in &list { has[x.1 as usize] += 1; }
            let mut t = g.below((0..23).filter(|&i| has[i] > 0).map(|i| wt[i]).sum());
            let class = (0..23).filter(|&i| has[i] > 0).find(|&i| if t < wt[i] { true } else { t -= wt[i]; false }).unwrap();
            let nth = g.below(has[class]) as usize;
            let at = list.iter().enumerate().filter(|x| x.1 .1 as usize == class).nth(nth).unwrap().0;
            let a = list.swap_remove(at).0;
            let Some((t, bad)) = step(&w, c, a) else { continue };
            acts.push(a);
            if bad.is_some() { return (acts, bad); }
            w = t;
            continue 'step;
        }
    }
    (acts, None)
}
fn replay2(c: &C2, acts: &[A]) -> (Vec<A>, Option<String>) {
    let (mut w, mut done) = (init2(c), vec![]);
    for &a in acts { if let Some((t, bad)) = step(&w, c, a) { done.push(a); if bad.is_some() { return (done, bad); } w = t; } }
    (done, None)
}
fn shrink2(c: &C2, acts: Vec<A>, bad: String) -> (Vec<A>, String) {
    let (mut acts, mut bad) = (acts, bad);
    loop {
        let before = acts.len();
        for size in [8usize, 4, 2, 1] {
            let mut i = 0;
            while i < acts.len() {
                let mut t = acts.clone();
                t.drain(i..(i + size).min(t.len()));
                match replay2(c, &t) { (d, Some(e)) if d.len() < acts.len() => { acts = d; bad = e; } _ => i += 1 }
            }
        }
        if acts.len() == before { return (acts, bad); }
    }
}
pub fn main(a: &[String]) {
    let num = |i: usize, d: u64| a.get(i).and_then(|x| x.parse().ok()).unwrap_or(d);
    match a[0].as_str() {
        "explore" => {
            let mut c = scope2(&a[1]);
            if let Some(x) = a.get(3) { c.bug = BUGS.iter().find(|y| format!("{:?}", y.0) == *x).expect("no control").0; c.c.wb = false; print!("{x}: "); }
            explore2(&a[1], &c, num(2, 1_000_000) as usize)
        }
        "walk" => {
            let c = scope2(&a[1]);
            let (walks, len, seed, t0) = (num(2, 1000), num(3, 150) as usize, num(4, 1), std::time::Instant::now());
            let (mut steps, mut won, mut heard) = (0, 0, 0);
            for i in 0..walks {
                let (acts, bad) = walk2(&c, len, seed + i);
                steps += acts.len();
                won += acts.iter().filter(|x| matches!(x, A::P(_, Act::Win(_)))).count();
                heard += acts.iter().filter(|x| matches!(x, A::Take(_) | A::Ans(_))).count();
                if let Some(e) = bad { let (acts, e) = shrink2(&c, acts, e); println!("{} VIOLATION: {e}\n  {} actions: {}", a[1], acts.len(), show2(&acts)); return; }
            }
            println!("{} {walks} walks, {steps} steps, {won} elections won, {heard} points or answers taken, {} s, no violation", a[1], t0.elapsed().as_secs());
        }
        "controls" => for &(bug, text) in BUGS {
            if bug == Bug::Amended || a.get(3).map_or(false, |x| *x != format!("{bug:?}")) { continue; }
            if let Some((_, scope)) = BY_BREADTH.iter().find(|x| x.0 == bug) {
                let mut c = scope2(scope);
                c.bug = bug; c.c.wb = false;
                print!("{bug:?} | {text} | ");
                explore2(scope, &c, 200_000);
                continue;
            }
            let names: &[&str] = if format!("{bug:?}").starts_with("Answer") { &["frames", "bigframes", "bigframelease", "framelease"] } else { &["stamps", "stampslives", "bigstamps"] };
            let (t0, mut steps, mut best): (_, usize, Option<(Vec<A>, String, &str, usize)>) = (std::time::Instant::now(), 0, None);
            'hunt: for i in 0.. {
                for name in names {
                    let mut c = scope2(name);
                    c.bug = bug; c.c.wb = false;
                    let (acts, bad) = walk2(&c, num(2, 150) as usize, 9_000_000 + i);
                    steps += acts.len();
                    if let Some(e) = bad { let (acts, e) = shrink2(&c, acts, e); best = Some((acts, e, name, steps)); break 'hunt; }
                    if t0.elapsed().as_secs() >= num(1, 60) { break 'hunt; }
                }
            }
            match best {
                Some((acts, e, name, st)) => println!("CAUGHT {bug:?} | {text} | {st} steps | {e} | {name}, {} actions: {}", acts.len(), show2(&acts)),
                None => println!("MISSED {bug:?} | {text} | {steps} steps"),
            }
        },
        x => panic!("{x}"),
    }
}
