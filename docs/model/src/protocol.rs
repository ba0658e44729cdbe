//! The rules, one arm per action. A guard that fails returns `No` before anything is changed.
//! Request + answer are one step where the answer only states a fact that stays true (an ack, a promise);
//! everything that can arrive late and still change an acceptor (batch, repair, copy, request, heartbeat) is a message.
use crate::types::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use Bug::*;
/// How often a keyed write was found in memory only, vouched for by memory only, or answered OUTCOME_UNKNOWN (to see that runs meet them).
pub static MET: [AtomicU64; 3] = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];

pub fn maj(set: u8, mask: u8) -> bool { (set & mask).count_ones() * 2 > set.count_ones() }
pub fn voters(m: &Map, c: &Cfg) -> u8 { m.old | m.new | if c.bug == LearnerVotes { m.lrn } else { 0 } }
pub fn members(m: &Map) -> u8 { m.old | m.new | m.lrn }
fn quorum(s: &S, c: &Cfg, ep: u8, mask: u8, half: u8) -> bool { // half: 0 both, 1 old only, 2 new only (controls)
    if c.bug == QuorumOne { return mask != 0; }
    let m = &s.maps[ep as usize - 1];
    let old = if c.bug == LearnerVotes && m.lrn != 0 { (mask & (m.old | m.lrn)).count_ones() * 2 > m.old.count_ones() } else { maj(m.old, mask) };
    let new = m.new == 0 || maj(m.new, mask);
    match half { 1 => old, 2 if m.new != 0 => new, _ => old && new }
}
fn init_s(c: &Cfg) -> S {
    let rep = Rep { prom: 0, ep: 1, pos: Pos::default(), rows: [None; K], cd: 0, purged: 0, pfl: 0, stg: None, pp: 0, c: 0, role: Role::F, hg: 0,
        clk: 100, rate: 1, wait: 0, until: [0; N], gen: [1; N], relb: 0, ackd: 0, fresh: 0, sr: None, before: Pos::default(),
        km: vec![], kbeg: NONE, kfl: [NONE; K], kdrop: 0, kr: 0, seen: 0, leaps: [(0, 0, 0); N], stood: 0, since: 0, h: 0 };
    let rec = Rec { b: 0, ep: 0, base: Pos::default(), rows: vec![], log: vec![], commit: 0, purge: 0, rel: false, fr: (0, 0) };
    S { reps: vec![rep; c.n], recs: vec![rec], maps: vec![Map { old: c.init, new: 0, lrn: 0, ready: false }], ops: vec![], chosen: vec![], at: vec![], cb: vec![],
        reqs: vec![], answ: vec![], ins: vec![], ws: (0..c.watch).map(|i| W { at: i as u8, w: 0, pend: None, seen: [0; K] }).collect(),
        mems: vec![], now: 0, bounces: 0, stands: 0, stgid: 0, snap: vec![None; c.n] }
}
pub fn init(c: &Cfg, rates: [u8; N]) -> S {
    let mut s = init_s(c);
    for r in 0..c.n { s.reps[r].rate = rates[r]; }
    s
}
pub fn lead(s: &S, l: u8) -> Option<&Lead> { match &s.reps[l as usize].role { Role::L(x) => Some(x), _ => None } }
pub fn lead_mut(s: &mut S, l: u8) -> &mut Lead { match &mut s.reps[l as usize].role { Role::L(x) => x, _ => unreachable!() } }

fn id(e: u8) -> u8 { e & 127 }
fn op_of(s: &S, e: u8) -> &Op { &s.ops[id(e) as usize - 1] }
/// Forms of transactions. 0: if both keys are as expected, put both, else nothing. 1: else put key 1. 2: if key 0 is as expected, put it, else put key 1.
fn tx_writes(form: u8, branch: u8, k: u8) -> bool { match (form, branch) { (2, 0) => k == 0, (_, 0) => k < 2, (0, _) => false, _ => k == 1 } }
fn tx_compares(form: u8, k: u8) -> bool { k == 0 || (k == 1 && form < 2) }
/// Does the history's entry e write key k, and is it a tombstone?
fn writes(s: &S, e: u8, k: u8) -> Option<bool> {
    let o = op_of(s, e);
    match o.kind { 3 if tx_writes(o.k, e >> 7, k) => Some(false), 3 => None, kind if o.k == k => Some(kind == 1 || kind == 4), _ => None }
}
/// Newest committed revision of key k at or before `upto` (ghost).
pub fn last(s: &S, k: u8, upto: u8) -> u8 {
    (1..=upto.min(s.chosen.len() as u8)).rev().find(|&r| writes(s, s.chosen[r as usize - 1], k).is_some()).unwrap_or(0)
}
fn gone_at(s: &S, r: u8, k: u8) -> bool { writes(s, s.chosen[r as usize - 1], k) == Some(true) }
/// What `ifRevision` sees in the committed history: 0 = absent or deleted.
fn cur(s: &S, k: u8, upto: u8) -> u8 { let r = last(s, k, upto); if r == 0 || gone_at(s, r, k) { 0 } else { r } }
fn holds(s: &S, o: &Op, upto: u8) -> bool { // the condition, in the committed history
    match o.kind { 2 => cur(s, o.k, upto) == o.exp, 3 => cur(s, 0, upto) == o.exp && (!tx_compares(o.k, 1) || cur(s, 1, upto) == o.exp2), _ => true }
}
/// Hybrid time: op n is first attempted at 2n, later attempts and everything else happen between; past the window, so that nothing is before 0.
fn origin(c: &Cfg, op: u8) -> u8 { 2 * op + if c.keyed { c.wc + c.skew } else { 0 } }
fn time_of(c: &Cfg, ops: usize) -> u8 { origin(c, ops as u8) + 1 }
fn now(s: &S, c: &Cfg) -> u8 { time_of(c, s.ops.len()) }
/// Is this row what a reader of the committed history at `upto` or later may see for k?
pub fn read_ok(s: &S, row: Option<Row>, k: u8, upto: u8, what: &str) -> Result<(), String> {
    let r = last(s, k, upto);
    match row {
        None if r != 0 && !gone_at(s, r, k) => Err(format!("{what}: key {k} absent, committed revision {r} lost")),
        None => Ok(()),
        Some(x) if x.r as usize > s.chosen.len() || s.chosen[x.r as usize - 1] != x.op => Err(format!("{what}: key {k} shows revision {} op {} which is not committed", x.r, x.op)),
        Some(x) if x.r < r => Err(format!("{what}: key {k} shows revision {}{} though {r}{} is committed", x.r, if x.tomb { " (tombstone)" } else { "" }, if gone_at(s, r, k) { " (delete)" } else { "" })),
        _ => Ok(()),
    }
}
pub fn lease_valid(s: &S, c: &Cfg, l: u8) -> bool {
    let (x, me) = match lead(s, l) { Some(x) => (x, &s.reps[l as usize]), None => return false };
    let mut mask = 1 << l;
    for g in 0..c.n { if x.lease[g].0 != 0 && x.conf[g] == x.lease[g].0 && x.lease[g].1 > me.clk { mask |= 1 << g; } }
    quorum(s, c, s.recs[x.i as usize].ep, mask, if c.bug == LeaseOldOnly { 1 } else { 0 })
}
/// Leadership confirmed now: by lease, or (no clocks in this scope) by a majority that still has this promise.
pub fn confirmed(s: &S, c: &Cfg, l: u8) -> bool {
    if c.time { return lease_valid(s, c, l); }
    let x = match lead(s, l) { Some(x) => x, None => return false };
    let ep = s.recs[x.i as usize].ep;
    let mask = (0..c.n).filter(|&g| s.reps[g].prom == x.b && s.reps[g].ep == ep).fold(0, |m, g| m | 1 << g);
    quorum(s, c, ep, mask, 0)
}
/// Ghost: revisions 1..=upto of record i become committed.
fn choose(s: &mut S, i: u8, upto: u8) -> Result<(), String> {
    for rev in 1..=upto {
        let op = match s.recs[i as usize].log.get(rev as usize - 1) { Some(&op) => op, None => return Err(format!("agreement: revision {rev} committed, which no leader numbered in this history")) };
        if (rev as usize) <= s.chosen.len() {
            let was = s.chosen[rev as usize - 1];
            if was != op { return Err(format!("agreement: revision {rev} was committed as op {was}, now as op {op}")); }
            continue;
        }
        let e = op;
        let op = id(e);
        if s.chosen.iter().any(|&x| id(x) == op) { return Err(format!("op {op} applied twice")); }
        let o = s.ops[op as usize - 1].clone();
        if o.failed { return Err(format!("op {op} was answered 'condition failed' and is now committed")); }
        if o.kind == 2 && !holds(s, &o, rev - 1) { return Err(format!("condition of op {op} does not hold where it committed (wanted {}, is {})", o.exp, cur(s, o.k, rev - 1))); }
        if o.kind == 3 && holds(s, &o, rev - 1) != (e >> 7 == 0) { return Err(format!("transaction {op} took its branch {} though where it committed it should not have", e >> 7)); }
        if let Some(j) = s.ops.iter().position(|x| x.okrev == rev) { if j + 1 != op as usize { return Err(format!("op {} was answered with revision {rev}, which is op {op}", j + 1)); } }
        s.chosen.push(e);
        s.at.push(s.now);
        let b = s.recs[i as usize].b;
        s.cb.push(b);
        for j in 0..s.ops.len() { if !s.ops[j].wasfalse && !holds(s, &s.ops[j], rev) { s.ops[j].wasfalse = true; } }
    }
    Ok(())
}
fn log_of(s: &S, r: usize) -> Vec<u8> { let p = &s.reps[r]; let l = &s.recs[p.h as usize].log; l[..(p.pos.r as usize).min(l.len())].to_vec() }
/// What a source must send so that rows complete up to `base` become the source's rows: its rows past the base, and the
/// present row (or absence) of each key that the receiver has past the base.
fn delta(src: &Rows, own: &Rows, base: u8, undo: bool) -> [D; K] {
    let mut d = [D::Keep; K];
    for k in 0..K {
        d[k] = match src[k] {
            Some(x) if x.r > base => D::Put(x),
            x if undo && own[k].map_or(false, |o| o.r > base) => x.map_or(D::Absent, D::Put),
            _ => D::Keep,
        };
    }
    d
}
fn put(rows: &mut Rows, d: &[D; K]) { for k in 0..K { match d[k] { D::Keep => {} D::Absent => rows[k] = None, D::Put(x) => rows[k] = Some(x) } } }
fn step_down(s: &mut S, c: &Cfg, g: usize, b: u8) {
    let other = match &s.reps[g].role { Role::C(x) => x.b != b && c.bug != SelfUnchecked, Role::L(x) => x.b != b, Role::F => false };
    if other { leave(s, c, g); s.reps[g].role = Role::F; }
}
/// What a leader decided and did not apply is no part of its own history: its memory of keyed writes drops it.
fn leave(s: &mut S, c: &Cfg, g: usize) {
    let p = &mut s.reps[g];
    if c.keyed && c.bug != KeepsUnsent && matches!(p.role, Role::L(_)) { let r = p.pos.r; p.km.retain(|x| x.2 <= r); }
}
/// 4.7.6: from here on no keyed write passes unseen.
/// Where nothing was written yet, it is complete.
fn begin(p: &mut Rep, c: &Cfg, now: u8, at: u8) { if p.kbeg == NONE { p.kbeg = if at == 0 || c.bug == BeginsWhole { 0 } else { now }; p.kr = at; } }
/// The rows are those of `to` now, and the memory is what their source told, or begins there.
fn begin_anew(p: &mut Rep, c: &Cfg, now: u8, to: Pos, told: Option<Mem>) {
    if !c.keyed { return; }
    if c.bug != MemoryOutlivesRepair { p.km.clear(); p.kfl = [NONE; K]; p.kbeg = NONE; }
    begin(p, c, now, to.r);
    if let Some(m) = told { recall(p, c, &m, to.r); }
}
/// What a replica may tell others: complete for what was first attempted after the floor, of its history up to `r`.
fn told(s: &S, c: &Cfg, g: usize, decided: bool) -> Option<Mem> {
    let p = &s.reps[g];
    if c.tells == 0 || p.kbeg == NONE { return None; }
    let r = match &p.role { Role::L(x) if decided && x.b == p.pos.b => s.recs[x.i as usize].log.len() as u8, _ => p.pos.r };
    let km = p.km.iter().filter(|x| x.2 <= r || c.bug == RemembersAhead).copied().collect();
    Some(Mem { b: p.pos.b, r, floor: if c.bug == MemoryToldWhole { 0 } else { p.kdrop.max(p.kbeg) }, km })
}
/// Of the same history, whose end the own memory's beginning does not lie behind.
fn recall(p: &mut Rep, c: &Cfg, m: &Mem, at: u8) {
    for x in &m.km { if (x.2 <= at || c.bug == RemembersAhead) && !p.km.iter().any(|y| id(y.0) == id(x.0)) { p.km.push(*x); } }
    p.km.sort();
    p.kbeg = p.kbeg.min(m.floor);
    forget_oldest(p, c);
}
fn forget_oldest(p: &mut Rep, c: &Cfg) {
    while p.km.len() > c.kmax {
        let old = (0..p.km.len()).min_by_key(|&i| p.km[i].1).unwrap();
        if c.bug != DropsQuietly { p.kdrop = p.kdrop.max(p.km[old].1); }
        p.km.remove(old);
    }
}
fn note(p: &mut Rep, c: &Cfg, log: &[u8], k: u8, row: &Row) { // a row passes: what it has forgotten when first seen, and its marks
    if !c.keyed { return; }
    if p.kfl[k as usize] == NONE { p.kfl[k as usize] = if c.bug == SeenIsComplete { 0 } else { row.floor }; }
    for (&e, &org) in row.ids.iter().zip(&row.orgs) {
        if e == 0 || p.km.iter().any(|x| id(x.0) == id(e)) { continue; }
        let r = log.iter().position(|&x| x == e).map_or(NONE, |i| i as u8 + 1);
        p.km.push((e, org, r));
        p.km.sort();
        forget_oldest(p, c);
    }
}
/// Complete for keyed writes on k with a later origin.
fn reaches(p: &Rep, k: usize) -> u8 { p.kdrop.max(p.kbeg.min(p.kfl[k])) }
fn live(s: &S, g: usize, to: usize) -> bool { s.reps[g].until[to] > s.reps[g].clk }
pub fn grant(s: &mut S, c: &Cfg, g: usize, to: usize) -> u8 { // g renews (or begins) its grant to the shard `to`
    if !live(s, g, to) { s.reps[g].gen[to] += 1; }
    s.reps[g].until[to] = s.reps[g].clk + c.lg;
    s.reps[g].gen[to]
}
pub fn hear(s: &mut S, c: &Cfg, l: u8, g: u8, gen: u8, sent: u16) { // the holder counts a grant from its own sending time
    let (since, clk) = (s.reps[l as usize].since, s.reps[l as usize].clk);
    let void = sent < since || (sent == since && since > 0 && c.bug != StampAtStop); // written before the clock stood still
    let e = &mut lead_mut(s, l).lease[g as usize];
    let until = if void { 0 } else { sent + c.ll };
    if e.0 == gen { e.1 = e.1.max(until); } else if gen > e.0 || (e.1 <= clk && until > clk) { *e = (gen, until); } // 4.12.5: one that runs goes before a later one that does not
}
fn ack(s: &mut S, c: &Cfg, g: usize, i: u8) {
    let r = s.reps[g].pos.r;
    if c.time { s.reps[g].ackd = s.recs[i as usize].b; }
    if c.framed && s.recs[i as usize].b & 7 != g as u8 { return; } // the frame's answer says so
    for l in 0..c.n {
        if lead(s, l as u8).map_or(true, |x| x.i != i) { continue; }
        if c.time && l != g { let gen = grant(s, c, g, l); lead_mut(s, l as u8).conf[g] = gen; }
        let x = lead_mut(s, l as u8);
        if x.acked[g] == NONE || x.acked[g] < r { x.acked[g] = r; }
    }
}
fn protected(s: &S, g: usize, from: u8) -> bool { // does a running grant forbid g to promise to `from`?
    let p = &s.reps[g];
    let owner = (p.prom & 7) as usize;
    p.prom != 0 && p.ackd == p.prom && owner != from as usize && owner != g && p.relb != p.prom && p.until[owner] > p.clk
}
fn ep_ok(s: &S, c: &Cfg, g: usize, ep: u8) -> bool { c.bug == EpochUnchecked && ep > 0 && s.reps[g].ep > 0 || s.reps[g].ep == ep }
enum Told { Near, Persists, New, No }
/// 4.12.2: is the ballot near enough to what g knows, or did `from` go on saying it? New: said, and noted, and not believed yet.
fn reach(s: &mut S, c: &Cfg, g: usize, from: u8, b: u8) -> Told {
    let p = &mut s.reps[g];
    let (round, known) = (b >> 3, p.prom.max(p.seen) >> 3);
    if c.leap == 0 || round <= known + c.leap && c.bug != LeapSkipsOrder || from as usize == g { return Told::Near; }
    if round <= known + c.leap { let l = p.leaps[from as usize]; return if l.0 != 0 && p.clk - l.1 >= c.persist { Told::Persists } else { Told::Near }; }
    if c.bug == LeapNeverBelieved { return Told::No; }
    let l = p.leaps[from as usize];
    let same = l.0 != 0 && l.0.abs_diff(round) <= c.leap && p.clk - l.2 < c.gap;
    let since = if same { l.1 } else { p.clk };
    let new = (round, since, p.clk);
    if p.clk - since >= c.persist { p.leaps[from as usize] = new; return Told::Persists; }
    if new == l { return Told::No; }
    p.leaps[from as usize] = new;
    Told::New
}
fn is_member(s: &S, g: usize) -> bool { let e = s.reps[g].ep; e > 0 && members(&s.maps[e as usize - 1]) >> g & 1 == 1 }
fn is_voter(s: &S, c: &Cfg, g: usize) -> bool { let e = s.reps[g].ep; e > 0 && voters(&s.maps[e as usize - 1], c) >> g & 1 == 1 }
fn accepts(s: &S, c: &Cfg, g: usize, i: u8) -> bool {
    let rec = &s.recs[i as usize];
    (rec.b >= s.reps[g].prom || c.bug == PromiseNotChecked) && ep_ok(s, c, g, rec.ep) && is_member(s, g)
}
/// One step (4.6.7): the tombstone of one key. What is left at or before `purged` goes later.
fn purge_key(p: &mut Rep, k: usize, keep_floor: bool) {
    let Some(x) = p.rows[k] else { return };
    if keep_floor { p.pfl = p.pfl.max(x.floor).max(x.orgs[0]).max(x.orgs[1]); }
    p.rows[k] = None;
    p.purged = p.purged.max(x.r);
    p.cd = p.cd.max(x.r.min(p.c));
}
/// The leader runs a request: dedupe, condition, propose.
fn process(s: &mut S, c: &Cfg, l: u8, op: u8, att: u8, org: u8) -> R {
    let me = &s.reps[l as usize];
    let x = lead(s, l).unwrap();
    let (i, o) = (x.i as usize, s.ops[op as usize - 1].clone());
    let may = |branch: u8, k: usize| if o.kind == 3 { tx_writes(o.k, branch, k as u8) } else { branch == 0 && k == o.k as usize };
    let either = |k: usize| may(0, k) || may(1, k);
    let newest = |k: usize| x.mem[k].map_or(0, |m| if m.tomb { 0 } else { m.r });
    let as_expected = |seen: &dyn Fn(usize) -> u8| match o.kind { 2 => seen(o.k as usize) == o.exp, 3 => seen(0) == o.exp && (!tx_compares(o.k, 1) || seen(1) == o.exp2), _ => true };
    // 4.7.3, 4.7.6: was it applied before, or can that not be told any more? Found: the first answer, once its row is committed
    let first_answer = |e: u8, r: u8| {
        if r > me.c { return R::No; }
        let is = s.chosen[r as usize - 1];
        if is != e { return R::Bad(format!("repeat of op {op} answered with revision {r}, which is op {}", id(is))); }
        if c.bug == TxBranchAskedAgain && o.kind == 3 && as_expected(&newest) != (e >> 7 == 0) { return R::Bad(format!("repeat of transaction {op} answered with another branch")); }
        R::No
    };
    for m in (0..K).filter(|&k| either(k)).filter_map(|k| x.mem[k]) {
        if let Some(n) = m.ids.iter().position(|&e| id(e) == op) {
            if c.bug == DedupeBeforeCommit && n == 0 && o.okrev == 0 { s.ops[op as usize - 1].okrev = m.r; return R::Ok; }
            return first_answer(m.ids[n], s.recs[i].log.iter().position(|&e| e == m.ids[n]).map_or(NONE, |j| j as u8 + 1));
        }
    }
    if let Some(&(e, _, r)) = me.km.iter().find(|y| id(y.0) == op) {
        if c.bug != NoKeyedMemory && (c.bug != MarkNeedsRow || (0..K).any(|k| either(k) && x.mem[k].is_some())) { MET[0].fetch_add(1, Relaxed); return first_answer(e, r); }
    }
    let first = if c.keyed && c.bug != RepeatIsNew { org.saturating_sub(c.w()) } else { org }; // when it can have been attempted first
    let by_row = |k: usize| first <= x.mem[k].map_or(me.pfl, |m| m.floor);
    let lost = |k: usize| by_row(k) && (!c.keyed || first <= reaches(me, k));
    let gone = |branch: u8| (0..K).any(|k| may(branch, k)) && (0..K).all(|k| !may(branch, k) || lost(k));
    let unknown = if c.bug == TxAnyFloor { (0..K).all(|k| !either(k) || lost(k)) } else { gone(0) || gone(1) };
    if unknown && c.bug != LastIdOnly { if c.keyed { MET[2].fetch_add(1, Relaxed); } return R::No; } // OUTCOME_UNKNOWN
    if c.keyed && (0..K).any(|k| either(k) && by_row(k)) { MET[1].fetch_add(1, Relaxed); }
    let told = x.dec.iter().any(|y| y.0 == op) && c.bug != NoFailMemory;
    let can_fail = o.kind == 2 || (o.kind == 3 && o.k == 0);
    if can_fail && !told && (if c.bug == FailFloorByOrigin { org } else { first }) <= x.dfl { return R::No; } // OUTCOME_UNKNOWN
    let seen = |k: usize| if (c.bug == CondOnCommitted && o.kind == 2) || (c.bug == TxCompareCommitted && o.kind == 3) {
        let log = &s.recs[i].log;
        (1..=me.c as usize).rev().find(|&r| writes(s, log[r - 1], k as u8).is_some()).map_or(0, |r| if writes(s, log[r - 1], k as u8) == Some(true) { 0 } else { r as u8 })
    } else { newest(k) };
    let good = as_expected(&seen);
    if told || (can_fail && !good) {
        if !told {
            let on = |k: usize| if o.kind == 3 { tx_compares(o.k, k as u8) && (k == 0 || c.bug != TxFailFirstRow) } else { k == o.k as usize };
            let rev = (0..K).filter(|&k| on(k)).filter_map(|k| x.mem[k]).map(|m| m.r).max().unwrap_or(0);
            if rev > me.c && c.bug != FailOnUncommitted && c.bug != CondOnCommitted { return R::No; } // hold until the rows it was decided on commit
            if !x.bar && c.bug != FailBeforeBarrier { return R::No; }
            if !confirmed(s, c, l) && c.bug != FailWithoutLease { return R::No; }
            if !o.wasfalse { return R::Bad(format!("op {op} answered 'condition failed' though it held all the time")); }
        } else if !confirmed(s, c, l) && c.bug != ToldWithoutLease && c.bug != FailWithoutLease { return R::No; }
        if s.answ.contains(&(op, att)) || (told && !c.retry) { return R::No; }
        let x = lead_mut(s, l);
        if !told {
            x.dec.retain(|y| y.0 != op);
            x.dec.push((op, org));
            x.dec.sort();
            if c.fmax > 0 && x.dec.len() > c.fmax { // what falls off raises a floor
                let n = x.dec.iter().position(|y| y.0 != op).unwrap();
                x.dfl = x.dfl.max(x.dec.remove(n).1);
            }
        }
        if c.retry { s.answ.push((op, att)); }
        return R::Ok;
    }
    let branch = !good as u8;
    propose(s, c, l, op | branch << 7, org, (0..K).filter(|&k| may(branch, k)).fold(0, |m, k| m | 1 << k))
}
/// One revision with the rows of `keys`. Origin 0: answers to no request, and forgets none (expiry).
fn propose(s: &mut S, c: &Cfg, l: u8, e: u8, org: u8, keys: u8) -> R {
    let (me, x) = (&s.reps[l as usize], lead(s, l).unwrap());
    let (i, b, pfl, mut rows) = (x.i as usize, x.b, me.pfl, vec![]);
    let tomb = matches!(op_of(s, e).kind, 1 | 4);
    for k in (0..K).filter(|&k| keys >> k & 1 == 1) {
        let (ids, orgs, floor) = x.mem[k].map_or(([0, 0], [0, 0], pfl), |m| (m.ids, m.orgs, m.floor));
        let mut row = Row { r: s.recs[i].log.len() as u8 + 1, op: e, tomb, bal: b, ids, orgs, floor };
        if org > 0 && (c.bug != TxFirstRowOnly || rows.is_empty()) {
            if c.marks == 1 { row.ids = [e, 0]; row.orgs = [org, 0]; row.floor = floor.max(orgs[0]); }
            else { row.ids = [e, ids[0]]; row.orgs = [org, orgs[0]]; row.floor = floor.max(orgs[1]); }
        }
        if c.bug == LastIdOnly { row.ids[1] = 0; row.floor = 0; }
        if c.bug == ExpiryForgets && org == 0 { row.ids = [0, 0]; row.orgs = [0, 0]; }
        rows.push((k as u8, row));
    }
    s.recs[i].rows.push(Wr { k: rows[0].0, row: rows[0].1, also: rows.get(1).copied() });
    s.recs[i].log.push(e);
    for (k, row) in rows {
        let had = lead(s, l).unwrap().mem[k as usize];
        lead_mut(s, l).mem[k as usize] = Some(row);
        let S { recs, reps, .. } = s;
        if let Some(m) = had { note(&mut reps[l as usize], c, &recs[i].log, k, &m); }
        note(&mut reps[l as usize], c, &recs[i].log, k, &row);
    }
    R::Ok
}
fn wipe(s: &mut S, c: &Cfg, r: usize) {
    let p = &mut s.reps[r];
    p.rows = [None; K]; p.pos = Pos::default(); p.cd = 0; p.c = 0; p.purged = 0; p.pfl = 0; p.stg = None; p.h = 0; p.hg += 1; p.fresh = 0; p.sr = None; p.role = Role::F;
    p.km.clear(); p.kbeg = NONE; p.kfl = [NONE; K];
    if c.bug == ForgetRecord { p.prom = 0; p.ep = 0; }
}

pub fn apply(s: &mut S, c: &Cfg, a: Act) -> R {
    macro_rules! guard { ($e:expr) => { if !($e) { return R::No; } } }
    macro_rules! ok { ($e:expr) => { if let Err(e) = $e { return R::Bad(e); } } }
    if let Act::Recv(_, i) | Act::Recv2(_, i) | Act::AckBase(_, i) | Act::LearnC(_, i) | Act::PurgeF(_, i) | Act::RelRecv(_, i) = a { guard!((i as usize) < s.recs.len()); } // when shrinking
    match a {
        Act::Bounce(r) => {
            guard!(s.bounces < c.bounces);
            s.bounces += 1;
            let p = &mut s.reps[r as usize];
            p.c = p.cd; p.role = Role::F; p.hg += (c.watch > 0) as u8; p.relb = 0; p.ackd = 0; p.fresh = 0; p.sr = None; p.until = [0; N];
            p.km.clear(); p.kbeg = if c.bug == MemoryFromStart { 0 } else { NONE }; p.kfl = [NONE; K]; p.kdrop = 0; p.stood = 0; p.seen = 0; p.leaps = [(0, 0, 0); N];
            if c.time { for g in p.gen.iter_mut() { *g += 1; } p.wait = if c.bug == NoRestartWait { 0 } else { p.clk + c.lg }; }
            if c.bug == BallotReuse && p.prom & 7 == r { p.prom = p.pp; }
            let top = p.rows.iter().flatten().max_by_key(|x| x.r).copied();
            if c.bug == PosFromRows { p.pos = top.map_or(Pos::default(), |x| Pos { b: x.bal, r: x.r }); }
            if c.bug == RevFromRows { p.pos.r = top.map_or(0, |x| x.r); }
        }
        Act::Stand(r) | Act::Far(r) => {
            let far = matches!(a, Act::Far(_)); // 4.12.2: a true leap (missed rounds), or a wrong one that became durable
            if far { guard!(c.leap > 0 && s.reps.iter().all(|p| p.prom >> 3 < 8)); }
            let p = &s.reps[r as usize];
            guard!(s.stands < c.stands && is_voter(s, c, r as usize) && p.prom < 240);
            if c.time { guard!(p.clk >= p.wait && !protected(s, r as usize, r)); }
            s.stands += 1;
            leave(s, c, r as usize);
            let p = &mut s.reps[r as usize];
            if c.bug == BallotReuse { p.pp = p.prom; }
            p.prom = ((p.prom.max(p.seen) >> 3) + if far { c.leap * 4 } else { 1 }) << 3 | r;
            let mut info = [(Pos::default(), 0); N];
            info[r as usize] = (p.pos, p.c);
            p.role = Role::C(Box::new(Cand { b: p.prom, mask: 1 << r, info }));
        }
        Act::Promise(g, r) => {
            guard!(g != r);
            let (b, ep) = match &s.reps[r as usize].role { Role::C(x) => (x.b, s.reps[r as usize].ep), _ => return R::No };
            let gi = g as usize;
            guard!(ep_ok(s, c, gi, ep) && is_voter(s, c, gi));
            if c.time { guard!(s.reps[gi].clk >= s.reps[gi].wait && !protected(s, gi, r)); }
            let told = match reach(s, c, gi, r, b) { Told::New => return R::Ok, x => x };
            guard!(b > s.reps[gi].prom && !matches!(told, Told::No) || (c.bug == LeapSkipsOrder && matches!(told, Told::Persists)));
            s.reps[gi].prom = b;
            step_down(s, c, gi, b);
            let told = (if c.bug == PromiseNotAtomic { s.reps[gi].before } else { s.reps[gi].pos }, s.reps[gi].c);
            if let Role::C(x) = &mut s.reps[r as usize].role { x.mask |= 1 << g; x.info[gi] = told; }
        }
        Act::Nack(g, r) => { // refused: a higher ballot is promised here, and the answer names it
            let b = match &s.reps[r as usize].role { Role::C(x) => x.b, _ => return R::No };
            let hi = s.reps[g as usize].prom;
            guard!(c.leap > 0 && g != r && hi > b && ep_ok(s, c, g as usize, s.reps[r as usize].ep));
            match reach(s, c, r as usize, g, hi) { Told::New => return R::Ok, Told::No => return R::No, _ => {} }
            let p = &mut s.reps[r as usize];
            p.seen = p.seen.max(hi); p.role = Role::F;
        }
        Act::Deny(l, g) => { // g goes on saying that it has less than it acknowledged
            guard!(c.unasked && l != g && lead(s, l).map_or(false, |x| x.acked[g as usize] != NONE));
            lead_mut(s, l).acked[g as usize] = NONE;
        }
        Act::Over(g, r) => { // g follows a ballot of r, at which r neither leads nor stands, and which it has promised durably
            let b = s.reps[g as usize].prom;
            let serves = match &s.reps[r as usize].role { Role::L(x) => x.b == b, Role::C(x) => x.b == b, Role::F => false };
            guard!(c.unasked && g != r && b != 0 && b & 7 == r && s.reps[g as usize].relb != b && s.reps[r as usize].prom >= b);
            guard!(!serves || c.bug == OverThoughServing);
            s.reps[g as usize].relb = b;
        }
        Act::Age(r) => { // the control AgeingUnpromises only
            let p = &mut s.reps[r as usize];
            guard!(c.bug == AgeingUnpromises && p.prom > p.pos.b && p.prom & 7 != r && !matches!(p.role, Role::L(_)));
            p.prom = p.pos.b; p.seen = 0; p.ackd = 0;
        }
        Act::Win(r) => {
            let ri = r as usize;
            let x = match &s.reps[ri].role { Role::C(x) => x.clone(), _ => return R::No };
            let (me, ep) = (&s.reps[ri], s.reps[ri].ep);
            guard!(me.prom == x.b || c.bug == SelfUnchecked);
            guard!(quorum(s, c, ep, x.mask, if c.bug == ElectNewOnly { 2 } else { 0 }));
            let set: Vec<usize> = (0..c.n).filter(|&g| x.mask >> g & 1 == 1).collect();
            let m = *set.iter().max_by_key(|&&g| { let p = x.info[g].0; if c.bug == RevisionOnly { (p.r, 0, N - g) } else { (p.b, p.r, N - g) } }).unwrap();
            let (src, mem) = (s.reps[m].clone(), told(s, c, m, false));
            guard!(m == ri || (src.prom == x.b && src.pos == x.info[m].0)); // frozen since it promised
            let heard = set.iter().map(|&g| x.info[g].1).max().unwrap();
            let base = if c.bug == BaseFromOthers { heard } else { me.c };
            let bumped = if c.bug == NoBarrier { src.pos } else { Pos { b: x.b, r: src.pos.r } };
            let log = log_of(s, m);
            let i = s.recs.len() as u8;
            let time = now(s, c);
            s.recs.push(Rec { b: x.b, ep, base: src.pos, rows: vec![], log, commit: 0, purge: 0, rel: false, fr: (0, 0) });
            let p = &mut s.reps[ri];
            if m != ri {
                if src.pos != p.pos { p.hg += (c.watch > 0) as u8; begin_anew(p, c, time, src.pos, mem); }
                let by_pos = c.bug == PurgeByPosition && src.purged <= p.pos.r;
                if src.purged <= base || by_pos {
                    let d = delta(&src.rows, &p.rows, base, c.bug != NoUndo);
                    put(&mut p.rows, &d);
                    p.purged = p.purged.max(src.purged);
                } else { p.rows = src.rows; p.purged = src.purged; }
                p.pfl = p.pfl.max(src.pfl);
            }
            if c.keyed { begin(p, c, time, src.pos.r); }
            p.pos = bumped; p.h = i;
            p.c = if c.bug == AdoptedIsCommitted { bumped.r } else { p.c.max(heard) }; // the adopted state holds all that is committed
            p.cd = p.c;
            let mut acked = [NONE; N];
            acked[ri] = bumped.r;
            p.role = Role::L(Box::new(Lead { b: x.b, i, acked, bar: false, mem: p.rows, dec: vec![], dfl: 0, lease: [(0, 0); N], conf: [0; N], hb: vec![], late: vec![], rd: false, cr: None }));
            // a leader must hold what was committed at lower ballots; one elected late, below a newer ballot, commits nothing
            let top = (1..=s.chosen.len()).rev().find(|&r| s.cb[r - 1] < s.recs[i as usize].b).unwrap_or(0) as u8;
            for k in 0..c.k as u8 { ok!(read_ok_uncommitted(s, s.reps[ri].rows[k as usize], k, top)); }
        }
        Act::Recv(g, i) => {
            let gi = g as usize;
            guard!(accepts(s, c, gi, i));
            match reach(s, c, gi, s.recs[i as usize].b & 7, s.recs[i as usize].b) { Told::New => return R::Ok, Told::No => return R::No, _ => {} }
            let rec = &s.recs[i as usize];
            let (b, pos, time) = (rec.b, s.reps[gi].pos, now(s, c));
            if c.bug == TxSplit && pos.b == b && pos.r > rec.base.r { // the rest of a transaction whose first half counted as all of it
                if let Some((k, x)) = rec.rows[(pos.r - rec.base.r) as usize - 1].also {
                    if s.reps[gi].rows[k as usize].map_or(true, |y| y.r < x.r) { s.reps[gi].rows[k as usize] = Some(x); return R::Ok; }
                }
            }
            let first = if c.bug == NoBarrier { pos == rec.base } else { false };
            let (mut to, mut row) = (Pos { b, r: rec.base.r }, None);
            if pos.b == b || first || (c.bug == NoPositionCheck && pos.r >= rec.base.r) {
                let n = (pos.r - rec.base.r) as usize;
                guard!(n < rec.rows.len());
                row = Some(rec.rows[n]);
                to.r = pos.r + 1;
            } else { guard!((pos == rec.base || c.bug == NoPositionCheck) && c.bug != NoBarrier); }
            let S { recs, reps, .. } = s;
            let p = &mut reps[gi];
            if c.keyed { begin(p, c, time, pos.r); }
            if let Some(w) = row {
                for (k, x) in [Some((w.k, w.row)), w.also.filter(|_| c.bug != TxSplit)].into_iter().flatten() {
                    p.rows[k as usize] = Some(x);
                    note(p, c, &recs[i as usize].log, k, &x);
                }
            }
            if c.bug == PromiseNotAtomic { p.before = p.pos; }
            p.pos = to; p.prom = b; p.h = i; p.cd = p.cd.max(p.c);
            step_down(s, c, gi, b);
            ack(s, c, gi, i);
        }
        Act::Recv2(g, i) => { // a batch of two writes to one key: only the last has a row
            let gi = g as usize;
            guard!(c.pairs && accepts(s, c, gi, i) && s.reps[gi].pos.b == s.recs[i as usize].b);
            let (rec, pos, time) = (&s.recs[i as usize], s.reps[gi].pos, now(s, c));
            let n = (pos.r - rec.base.r) as usize;
            guard!(n + 1 < rec.rows.len());
            let (one, two) = (rec.rows[n], rec.rows[n + 1]);
            guard!(one.k == two.k && one.also.is_none() && two.also.is_none());
            guard!(c.bug == BatchHidesKeyed || !c.keyed || two.row.ids.contains(&one.row.op) || op_of(s, one.row.op).kind == 4);
            let S { recs, reps, .. } = s;
            let p = &mut reps[gi];
            if c.keyed { begin(p, c, time, pos.r); }
            p.rows[two.k as usize] = Some(two.row);
            note(p, c, &recs[i as usize].log, two.k, &two.row);
            p.pos.r += 2; p.prom = recs[i as usize].b; p.h = i; p.cd = p.cd.max(p.c);
            step_down(s, c, gi, s.recs[i as usize].b);
            ack(s, c, gi, i);
        }
        Act::AckBase(g, i) => { // NoBarrier only: "I hold your adopted position", nothing bumped
            guard!(c.bug == NoBarrier && accepts(s, c, g as usize, i) && s.reps[g as usize].pos == s.recs[i as usize].base);
            let b = s.recs[i as usize].b;
            s.reps[g as usize].prom = b;
            step_down(s, c, g as usize, b);
            ack(s, c, g as usize, i);
        }
        Act::Commit(l) => {
            let x = match lead(s, l) { Some(x) => x.clone(), None => return R::No };
            let me = &s.reps[l as usize];
            let rec = &s.recs[x.i as usize];
            let half = match c.bug { CommitOldOnly => 1, CommitNewOnly => 2, _ => 0 };
            let lo = if c.bug == NoBarrier { 0 } else { rec.base.r };
            let mut acked = x.acked;
            if me.pos.b == x.b || c.bug == NoBarrier { acked[l as usize] = me.pos.r; }
            let top = if c.bug == AckBeforeOwnApply { rec.log.len() as u8 } else { me.pos.r };
            let ep = rec.ep;
            let r = match (lo..=top).rev().find(|&r| quorum(s, c, ep, (0..c.n).filter(|&g| acked[g] != NONE && acked[g] >= r).fold(0, |m, g| m | 1 << g), half)) { Some(r) => r, None => return R::No };
            guard!(r > me.c || !x.bar || (rec.ep > 0 && !s.maps[rec.ep as usize - 1].ready));
            ok!(choose(s, x.i, r));
            let rec = &mut s.recs[x.i as usize];
            rec.commit = rec.commit.max(r);
            let ep = rec.ep as usize;
            s.maps[ep - 1].ready = true;
            s.reps[l as usize].c = s.reps[l as usize].c.max(r);
            lead_mut(s, l).bar = true;
        }
        Act::LearnC(g, i) => {
            let rec = &s.recs[i as usize];
            let p = &s.reps[g as usize];
            guard!((p.pos.b == rec.b || c.bug == CommitAnyBallot) && ep_ok(s, c, g as usize, rec.ep));
            let to = rec.commit.min(p.pos.r);
            let fresh = if rec.fr.1 <= p.c.max(to) { rec.fr.0 } else { 0 };
            guard!(to > p.c || fresh > p.fresh);
            let p = &mut s.reps[g as usize];
            p.c = p.c.max(to);
            p.fresh = p.fresh.max(fresh);
        }
        Act::Repair(f, l) => { // a diff from the replica's exact position, made at one snapshot of the leader's durable rows
            guard!(c.repair && f != l && s.ins.len() < c.ins && lead(s, l).is_some());
            let i = lead(s, l).unwrap().i;
            guard!(accepts(s, c, f as usize, i));
            let (me, p, rec) = (&s.reps[l as usize], &s.reps[f as usize], &s.recs[i as usize]);
            guard!(p.pos != rec.base && (p.pos < me.pos || (c.bug == BackwardDiff && p.pos != me.pos)) && !(p.pos.b == rec.b && p.pos.r + 1 == me.pos.r));
            let base = if p.pos.b == rec.b { p.pos.r } else if c.bug == BaseFromOthers { me.c } else { p.c };
            guard!(me.purged <= base || (c.bug == PurgeByPosition && me.purged <= p.pos.r));
            let m = Ins { i, dst: f, from: p.pos, to: me.pos, d: delta(&me.rows, &p.rows, base, c.bug != NoUndo), purged: me.purged, pfl: me.pfl, stg: 0, c0: me.c.min(me.pos.r), mem: told(s, c, l as usize, false) };
            guard!(!s.ins.contains(&m));
            s.ins.push(m);
        }
        Act::RepairPage(f, l) => { // control: next page of one row, by revision, onto the live rows
            guard!(c.bug == PagesInOrder && f != l && lead(s, l).is_some());
            let i = lead(s, l).unwrap().i;
            guard!(accepts(s, c, f as usize, i));
            let (me, p, b) = (&s.reps[l as usize], &s.reps[f as usize], s.recs[i as usize].b);
            let base = if p.pos.b == b { p.pos.r } else { p.c };
            guard!(me.purged <= base);
            let (k, x) = match (0..K).filter_map(|k| me.rows[k].filter(|x| x.r > base).map(|x| (k, x))).min_by_key(|y| y.1.r) { Some(y) => y, None => return R::No };
            let d = if p.pos.b == b { [D::Keep; K] } else { let mut d = delta(&me.rows, &p.rows, base, true); for k in 0..K { if let D::Put(x) = d[k] { if x.r > base { d[k] = D::Keep } } } d };
            let p = &mut s.reps[f as usize];
            put(&mut p.rows, &d);
            p.rows[k] = Some(x); p.pos = Pos { b, r: x.r }; p.prom = b; p.h = i; p.hg += 1;
            step_down(s, c, f as usize, b);
            ack(s, c, f as usize, i);
        }
        Act::CopyStart(f, l) => {
            guard!(c.copy && f != l && s.reps[f as usize].stg.is_none() && lead(s, l).is_some() && s.stgid < 200);
            let i = lead(s, l).unwrap().i;
            guard!(accepts(s, c, f as usize, i) && s.reps[f as usize].pos < s.reps[l as usize].pos && s.reps[f as usize].pos.b != s.recs[i as usize].b);
            s.stgid += 1;
            let c0 = s.reps[l as usize].c;
            s.reps[f as usize].stg = Some(Stg { id: s.stgid, b: s.recs[i as usize].b, c0, after: c0, again: false, next: 0, purged: 0, pfl: 0, rows: [None; K] });
        }
        Act::CopyPage(f, l) => { // one key per page, from whoever leads now: a copy survives a change of leader
            guard!(f != l && lead(s, l).is_some() && accepts(s, c, f as usize, lead(s, l).unwrap().i));
            let (src, purged, pfl, b) = (s.reps[l as usize].rows, s.reps[l as usize].purged, s.reps[l as usize].pfl, lead(s, l).unwrap().b);
            let st = match &mut s.reps[f as usize].stg { Some(st) if (st.next as usize) < c.k && (b >= st.b || c.bug == CopyFromDeposed) => st, _ => return R::No };
            st.b = b; // never again a page from an older leader: it may lack what was committed at the copy's base
            if purged > st.c0 && c.bug != PurgeDuringCopy { s.reps[f as usize].stg = None; return R::Ok; } // begin anew
            let k = st.next as usize;
            if st.again { // rows past the base only, and the present row of staged keys past it
                match delta(&src, &st.rows, st.c0, true)[k] { D::Put(x) => st.rows[k] = Some(x), D::Absent => st.rows[k] = None, D::Keep => {} }
            } else { st.rows[k] = src[k]; }
            st.next += 1;
            if st.next as usize == c.k { st.c0 = st.after; }
            if c.bug != CopyForgetsPurge { st.purged = st.purged.max(purged); }
            if c.bug != CopyForgetsFloor { st.pfl = st.pfl.max(pfl); }
            if c.bug == LivePages { s.reps[f as usize].rows[k] = src[k]; }
        }
        Act::CopyAgain(f, l) => { // the rest does not fit one transaction yet: another pass, of what changed since the base
            guard!(c.copy && f != l && lead(s, l).is_some() && accepts(s, c, f as usize, lead(s, l).unwrap().i));
            let (com, b) = (s.reps[l as usize].c, lead(s, l).unwrap().b);
            let st = match &mut s.reps[f as usize].stg { Some(st) if st.next as usize == c.k && b >= st.b && com > st.c0 => st, _ => return R::No };
            st.b = b; st.again = true; st.next = 0; st.after = com;
            if c.bug == PassMovesBaseEarly { st.c0 = com; }
        }
        Act::CopyFin(f, l) => {
            guard!(f != l && s.ins.len() < c.ins && lead(s, l).is_some());
            let i = lead(s, l).unwrap().i;
            guard!(accepts(s, c, f as usize, i));
            let (me, p) = (&s.reps[l as usize], &s.reps[f as usize]);
            let st = match &p.stg { Some(st) if st.next as usize == c.k && (s.recs[i as usize].b >= st.b || c.bug == CopyFromDeposed) => st.clone(), _ => return R::No };
            let purged = st.purged.max(me.purged);
            if purged > st.c0 && c.bug != PurgeDuringCopy { s.reps[f as usize].stg = None; return R::Ok; } // begin anew
            guard!(p.pos < me.pos);
            let mut rows = st.rows;
            put(&mut rows, &delta(&me.rows, &st.rows, st.c0, c.bug != NoUndo));
            let mut d = [D::Absent; K];
            for k in 0..K { if let Some(x) = rows[k] { d[k] = D::Put(x); } }
            let m = Ins { i, dst: f, from: p.pos, to: me.pos, d, purged, pfl: st.pfl.max(me.pfl), stg: st.id, c0: st.c0.max(me.c), mem: told(s, c, l as usize, false) };
            guard!(!s.ins.contains(&m));
            s.ins.push(m);
        }
        Act::Inst(j) => {
            guard!((j as usize) < s.ins.len());
            let m = s.ins[j as usize].clone();
            let f = m.dst as usize;
            guard!(accepts(s, c, f, m.i));
            let p = &s.reps[f];
            if m.stg == 0 { guard!(p.pos == m.from || c.bug == LateDiff); }
            else if c.bug != LateCopy { guard!(p.stg.as_ref().map_or(false, |x| x.id == m.stg) && p.pos < m.to); }
            let (b, time) = (s.recs[m.i as usize].b, now(s, c));
            let p = &mut s.reps[f];
            put(&mut p.rows, &m.d);
            begin_anew(p, c, time, m.to, m.mem.clone());
            if m.stg == 0 { p.purged = p.purged.max(m.purged); } else { p.purged = m.purged; p.stg = None; }
            if c.bug != InstallWithoutCommit { p.c = p.c.max(m.c0); } // the installed state holds all that its maker knew committed
            p.pfl = p.pfl.max(m.pfl);
            p.cd = p.cd.max(p.c);
            p.pos = m.to; p.prom = b; p.h = m.i; p.hg += (c.watch > 0) as u8;
            step_down(s, c, f, b);
            ack(s, c, f, m.i);
        }
        Act::Tell(g) => {
            guard!(s.mems.len() < c.tells && is_member(s, g as usize));
            let Some(m) = told(s, c, g as usize, true) else { return R::No };
            guard!(!s.mems.contains(&m));
            s.mems.push(m);
        }
        Act::Mind(f, j) => {
            guard!((j as usize) < s.mems.len());
            let m = s.mems[j as usize].clone();
            let adopted = match &s.reps[f as usize].role { Role::L(x) => Some(s.recs[x.i as usize].base), _ => None };
            let (p, time) = (&mut s.reps[f as usize], time_of(c, s.ops.len()));
            let end = match adopted { // a leader's history is that of what it adopted, up to there
                _ if p.pos.b == m.b || c.bug == MemoryOfOtherHistory => p.pos.r,
                Some(base) if base.b == m.b => base.r,
                _ => return R::No,
            };
            guard!((if p.kbeg == NONE { end } else { p.kr }) <= m.r || c.bug == MemoryWithHole);
            let was = (p.km.clone(), p.kbeg, p.kdrop);
            begin(p, c, time, end);
            recall(p, c, &m, end);
            guard!(was != (p.km.clone(), p.kbeg, p.kdrop));
        }
        Act::Forget(j) => { guard!((j as usize) < s.mems.len()); s.mems.remove(j as usize); }
        Act::Drop(j) => { guard!((j as usize) < s.ins.len()); s.ins.remove(j as usize); }
        Act::Purge(l, upto) => {
            guard!(c.purge && lead(s, l).is_some());
            let x = lead(s, l).unwrap();
            let (i, b) = (x.i as usize, x.b);
            let p = &mut s.reps[l as usize];
            guard!(p.prom == b && p.pos.b == b && upto <= if c.bug == PurgeUncommitted { p.pos.r } else { p.c });
            let Some(k) = (0..K).find(|&k| p.rows[k].map_or(false, |x| x.tomb && x.r == upto)) else { return R::No };
            purge_key(p, k, c.bug != NoPurgeFloor);
            let (row, word) = (p.rows[k], p.purged);
            let x = lead_mut(s, l);
            if x.mem[k].map_or(false, |x| x.tomb && x.r == upto) { x.mem[k] = row; }
            s.recs[i].purge = word;
        }
        Act::PurgeF(g, i) => {
            let rec = &s.recs[i as usize];
            let upto = rec.purge;
            guard!(accepts(s, c, g as usize, i));
            let p = &mut s.reps[g as usize];
            let upto = upto.min(p.pos.r).min(if c.bug == PurgeUncommitted { p.pos.r } else { p.c });
            guard!(p.pos.b == rec.b && upto > 0);
            guard!(!matches!(p.role, Role::L(_)));
            // By revision at the one, against it at the other: in memory they are known by revision, the pass goes by key.
            let mut left: Vec<(u8, usize)> = (0..K).filter_map(|k| p.rows[k].filter(|x| x.tomb && x.r <= upto).map(|x| (x.r, k))).collect();
            left.sort();
            if g % 2 == 1 { left.reverse(); }
            match left.first() {
                Some(&(_, k)) => purge_key(p, k, c.bug != NoPurgeFloor),
                None => { guard!(upto > p.purged); p.purged = upto; p.cd = p.cd.max(upto.min(p.c)); }
            }
        }
        Act::New(l, k, kind) => {
            guard!(s.ops.len() < c.ops && (kind == 3 || (k as usize) < c.k) && (kind != 1 || c.del) && (kind != 2 || c.cas) && (kind != 3 || c.tx) && lead(s, l).is_some());
            let x = lead(s, l).unwrap();
            guard!(kind != 1 || x.mem[k as usize].map_or(false, |m| !m.tomb));
            let top = s.chosen.len() as u8;
            let exp = match kind { 2 => cur(s, k, top), 3 => cur(s, 0, top), _ => 0 };
            let exp2 = if kind == 3 && tx_compares(k, 1) { cur(s, 1, top) } else { 0 };
            let b = x.b;
            s.ops.push(Op { k, kind, exp, exp2, gw: 0, att: 1, failed: false, okrev: 0, wasfalse: false });
            let op = s.ops.len() as u8;
            let org = origin(c, op);
            if c.retry || kind == 2 { s.reqs.push((op, b, 1, org)); } else { process(s, c, l, op, 1, org); }
        }
        Act::Expire(l, k) => { // a write of the leader that answers to no request
            guard!(c.ttl && s.ops.len() < c.ops && lead(s, l).map_or(false, |x| x.mem[k as usize].map_or(false, |m| !m.tomb)));
            s.ops.push(Op { k, kind: 4, exp: 0, exp2: 0, gw: 0, att: 1, failed: false, okrev: 0, wasfalse: false });
            let op = s.ops.len() as u8;
            return propose(s, c, l, op, 0, 1 << k);
        }
        Act::Deliver(j, l) => {
            guard!((j as usize) < s.reqs.len() && lead(s, l).is_some());
            let (op, b, att, org) = s.reqs[j as usize];
            guard!(lead(s, l).unwrap().b == b || c.bug == AnyLeaderRuns);
            return process(s, c, l, op, att, org);
        }
        Act::Retry(op, l) => {
            guard!(c.retry && op as usize <= s.ops.len() && op > 0 && lead(s, l).is_some());
            let b = lead(s, l).unwrap().b;
            let o = &mut s.ops[op as usize - 1];
            if c.bug == GatewayRetriesOn && o.gw >> o.att & 1 == 1 { // the client does not know of this attempt
                guard!(!s.reqs.contains(&(op, b, 1, origin(c, op))));
                s.reqs.push((op, b, 1, origin(c, op)));
                return R::Ok;
            }
            guard!(o.att < c.atts && !o.failed && o.kind != 4);
            o.att += 1;
            let att = o.att;
            s.reqs.push((op, b, att, origin(c, op)));
        }
        Act::Again(op, l, fast) => { // the client repeats it through another gateway, which gives it an origin of its own
            guard!(c.keyed && op as usize <= s.ops.len() && op > 0 && lead(s, l).is_some() && now(s, c) - origin(c, op) <= c.wc);
            let (b, org) = (lead(s, l).unwrap().b, now(s, c) + fast * c.skew);
            let o = &mut s.ops[op as usize - 1];
            guard!(o.att < c.atts && !o.failed && o.kind != 4);
            o.att += 1;
            o.gw |= 1 << o.att;
            let att = o.att;
            s.reqs.push((op, b, att, org));
        }
        Act::DelAns(j) => {
            guard!((j as usize) < s.answ.len());
            let (op, att) = s.answ[j as usize];
            let o = &s.ops[op as usize - 1];
            let by = |n: u8| o.gw >> n & 1; // which gateway made attempt n
            let kept = by(att) == by(o.att) && (att..o.att).any(|n| by(n) != by(att));
            guard!(!o.failed && (att == o.att || c.bug == OldAnswerTaken || (c.bug == GatewayRepeatsFailure && kept)));
            if s.chosen.iter().any(|&e| id(e) == op) { return R::Bad(format!("op {op} is committed and answered 'condition failed'")); }
            s.ops[op as usize - 1].failed = true;
        }
        Act::MLearner(n) => {
            let m = s.maps.last().unwrap().clone();
            guard!(c.member && c.learn && s.maps.len() < c.maps && (n as usize) < c.n && m.new == 0 && m.lrn == 0 && m.old >> n & 1 == 0);
            s.maps.push(Map { old: m.old, new: 0, lrn: 1 << n, ready: false });
        }
        Act::MStart(out, n) => {
            let m = s.maps.last().unwrap().clone();
            guard!(c.member && s.maps.len() < c.maps && (n as usize) < c.n && m.new == 0 && m.old >> out & 1 == 1 && m.old >> n & 1 == 0);
            guard!(if c.learn { m.lrn == 1 << n } else { m.lrn == 0 });
            let new = (m.old & !(1 << out)) | 1 << n;
            s.maps.push(if c.bug == NoJoint { Map { old: new, new: 0, lrn: 0, ready: false } } else { Map { old: m.old, new, lrn: 0, ready: false } });
        }
        Act::MSettle => {
            let m = s.maps.last().unwrap().clone();
            guard!(m.new != 0);
            let top = s.chosen.len() as u8;
            let data = (0..c.n).filter(|&g| s.reps[g].pos.r >= top).fold(0, |a, g| a | 1 << g);
            guard!(m.ready || (c.bug == SettleOnData && maj(m.new, data)));
            s.maps.push(Map { old: m.new, new: 0, lrn: 0, ready: false });
        }
        Act::MAbandon => {
            let m = s.maps.last().unwrap().clone();
            guard!(m.new != 0 || m.lrn != 0);
            s.maps.push(Map { old: m.old, new: 0, lrn: 0, ready: false });
        }
        Act::Learn(r, e) => {
            let ri = r as usize;
            guard!(e > s.reps[ri].ep && e as usize <= s.maps.len());
            if let (LeaderKeepsBallot, Some(x)) = (c.bug, lead(s, r)) { let i = x.i as usize; s.recs[i].ep = e; } else { leave(s, c, ri); s.reps[ri].role = Role::F; }
            s.reps[ri].ep = e;
            if c.bug == EpochDropsGrant { s.reps[ri].until = [0; N]; }
            if !is_member(s, ri) { wipe(s, c, ri); }
        }
        Act::Tick => {
            guard!(c.time && s.now < c.ticks);
            s.now += 1;
            for p in s.reps.iter_mut() { p.clk += p.rate as u16; }
        }
        Act::Stop(r) => { // time passes, but not on the clock of r; its next look finds that out, or not
            guard!(c.still > 0 && s.now < c.ticks);
            s.now += 1;
            for (g, p) in s.reps.iter_mut().enumerate() { if g != r as usize { p.clk += p.rate as u16; } }
            let p = &mut s.reps[r as usize];
            p.stood += 1;
            if p.stood <= c.still + (c.bug == LongStops) as u16 { if c.bug == ShortStops { p.stood = 0; } return R::Ok; }
            p.stood = 0;
            if c.bug != StampsOutliveStop { p.since = p.clk; }
            if let Role::L(x) = &mut p.role { for e in x.lease.iter_mut() { e.1 = 0; } }
        }
        Act::HbSend(l) => {
            guard!(c.time && lead(s, l).is_some());
            let t = s.reps[l as usize].clk;
            let x = lead_mut(s, l);
            guard!(x.hb.last() != Some(&t));
            x.hb.push(t);
            if x.hb.len() > 2 { x.hb.remove(0); }
        }
        Act::HbRecv(g, l, j) => { // between shards, whatever the ballots of this partition are
            guard!(c.time && g != l && lead(s, l).map_or(false, |x| (j as usize) < x.hb.len()));
            let p = &s.reps[g as usize];
            guard!(p.until[l as usize] < p.clk + c.lg || lead(s, l).unwrap().lease[g as usize].1 < lead(s, l).unwrap().hb[j as usize] + c.ll);
            let gen = grant(s, c, g as usize, l as usize);
            let (clk, rate) = (s.reps[l as usize].clk, s.reps[l as usize].rate as u16);
            let x = lead_mut(s, l);
            let stamp = x.hb[j as usize];
            if c.still > 0 && !x.late.contains(&(g, gen, stamp)) { x.late.push((g, gen, stamp)); if x.late.len() > 2 { x.late.remove(0); } }
            let sent = if c.bug == LeaseFromReply { clk + rate } else { stamp }; // (an answer under way for a tick)
            hear(s, c, l, g, gen, sent);
            let x = lead_mut(s, l);
            if c.bug == PairLease { x.conf[g as usize] = gen; }
        }
        Act::HbAns(l, j) => {
            guard!(lead(s, l).map_or(false, |x| (j as usize) < x.late.len()));
            let (g, gen, sent) = lead(s, l).unwrap().late[j as usize];
            let had = lead(s, l).unwrap().lease[g as usize];
            guard!(gen >= had.0);
            hear(s, c, l, g, gen, sent);
            guard!(lead(s, l).unwrap().lease[g as usize] != had);
        }
        Act::Conf(g, l) => { // "is your promise still my ballot?" at the current grant
            guard!(c.time && g != l && lead(s, l).is_some());
            let x = lead(s, l).unwrap();
            let ep = s.recs[x.i as usize].ep;
            guard!(s.reps[g as usize].prom == x.b && ep_ok(s, c, g as usize, ep) && s.reps[g as usize].relb != x.b);
            guard!(x.conf[g as usize] != s.reps[g as usize].gen[l as usize] || !live(s, g as usize, l as usize));
            let gen = grant(s, c, g as usize, l as usize);
            if c.bug != ConfirmProtectsNothing { s.reps[g as usize].ackd = s.reps[g as usize].prom; }
            lead_mut(s, l).conf[g as usize] = gen;
        }
        Act::Release(l) => {
            guard!(c.time && lead(s, l).is_some());
            let i = lead(s, l).unwrap().i as usize;
            guard!(!s.recs[i].rel);
            s.recs[i].rel = true;
            if c.bug != ReleasedKeepsServing { leave(s, c, l as usize); s.reps[l as usize].role = Role::F; }
        }
        Act::RelRecv(g, i) => {
            let rec = &s.recs[i as usize];
            guard!(rec.rel && s.reps[g as usize].prom == rec.b && s.reps[g as usize].relb != rec.b);
            s.reps[g as usize].relb = rec.b;
        }
        Act::Fresh(l) => {
            guard!(c.time && lead(s, l).is_some() && (lease_valid(s, c, l) || c.bug == FreshWithoutLease) && (lead(s, l).unwrap().bar || c.bug == FreshBeforeBarrier));
            let (i, now, com) = (lead(s, l).unwrap().i as usize, s.now, s.reps[l as usize].c);
            guard!(s.recs[i].fr != (now, com));
            s.recs[i].fr = (now, com);
        }
        Act::Rd(l) => { guard!(c.bug == LeaseFlag && lease_valid(s, c, l) && !lead(s, l).unwrap().rd); lead_mut(s, l).rd = true; }
        Act::RdFin(l) => {
            guard!(lead(s, l).map_or(false, |x| x.rd));
            let top = s.chosen.len() as u8;
            for k in 0..c.k { let row = s.reps[l as usize].rows[k]; if row.map_or(0, |x| x.r) <= s.reps[l as usize].c { ok!(read_ok(s, row, k as u8, top, "lease read")); } }
            lead_mut(s, l).rd = false;
        }
        Act::SrRead(g, k) => { // the commit point is taken first, then the row
            let p = &mut s.reps[g as usize];
            guard!(c.confread && p.sr.is_none());
            p.sr = Some((k, p.rows[k as usize], p.c));
        }
        Act::SrFin(g) => {
            let (k, row, upto) = match s.reps[g as usize].sr { Some(x) => x, None => return R::No };
            let known = if c.bug == CommitReadAfterRow { s.reps[g as usize].c } else { upto };
            if row.map_or(0, |x| x.r) <= known { ok!(read_ok(s, row, k, upto, "stale read")); } // else passed on
            s.reps[g as usize].sr = None;
        }
        Act::CrStart(l, k) => {
            guard!(c.confread && lead(s, l).map_or(false, |x| x.cr.is_none()));
            let (row, top) = (s.reps[l as usize].rows[k as usize], s.chosen.len() as u8);
            lead_mut(s, l).cr = Some((k, row, top, 1 << l));
        }
        Act::CrAck(g, l) => {
            guard!(g != l && lead(s, l).map_or(false, |x| x.cr.is_some()));
            let x = lead(s, l).unwrap();
            guard!(s.reps[g as usize].prom == x.b && s.reps[g as usize].ep == s.recs[x.i as usize].ep && x.cr.unwrap().3 >> g & 1 == 0);
            if let Some(cr) = &mut lead_mut(s, l).cr { cr.3 |= 1 << g; }
        }
        Act::CrFin(l) => {
            let (k, row, top, mask) = match lead(s, l).and_then(|x| x.cr) { Some(x) => x, None => return R::No };
            guard!(quorum(s, c, s.recs[lead(s, l).unwrap().i as usize].ep, mask, 0) && row.map_or(0, |x| x.r) <= s.reps[l as usize].c);
            ok!(read_ok(s, row, k, top, "confirmed read"));
            lead_mut(s, l).cr = None;
        }
        Act::WSnap(w) => {
            guard!((w as usize) < s.ws.len());
            let p = s.reps[s.ws[w as usize].at as usize].clone();
            let cursor = s.ws[w as usize].w;
            if cursor < p.purged { // COMPACTED: the client lists anew and resumes from the commit point
                let seen: Vec<u8> = (0..K as u8).map(|k| last(s, k, p.c)).collect();
                let x = &mut s.ws[w as usize];
                x.w = p.c; x.pend = None; x.seen.copy_from_slice(&seen);
            } else {
                guard!(p.pos.r > cursor && s.ws[w as usize].pend.map_or(true, |x| (x.0, x.1) != (p.hg, p.pos.r)) && c.bug != NaiveWatch);
                s.ws[w as usize].pend = Some((p.hg, p.pos.r, p.rows));
            }
        }
        Act::WDel(w) => {
            guard!((w as usize) < s.ws.len());
            let p = s.reps[s.ws[w as usize].at as usize].clone();
            let cursor = s.ws[w as usize].w;
            let (upto, rows) = if c.bug == NaiveWatch { guard!(p.c > cursor && cursor >= p.purged); (p.c, p.rows) } else {
                let (hg, r, rows) = match s.ws[w as usize].pend { Some(x) => x, None => return R::No };
                guard!((hg == p.hg || c.bug == WatchKeepsSnapshot) && p.c >= r && r > cursor);
                (r, rows)
            };
            for k in 0..K { if let Some(x) = rows[k] { if x.r > cursor && x.r <= upto {
                if s.chosen.get(x.r as usize - 1) != Some(&x.op) { return R::Bad(format!("watch: delivered revision {} op {} which is not committed", x.r, x.op)); }
                s.ws[w as usize].seen[k] = x.r;
            } } }
            for k in 0..K as u8 { let r = last(s, k, upto); if s.ws[w as usize].seen[k as usize] < r { return R::Bad(format!("watch: cursor at {upto}, revision {r} of key {k} skipped")); } }
            let x = &mut s.ws[w as usize];
            x.w = upto; x.pend = None;
        }
        Act::WMove(w, r) => { guard!((w as usize) < s.ws.len() && s.ws[w as usize].at != r && is_member(s, r as usize)); s.ws[w as usize].at = r; s.ws[w as usize].pend = None; }
        Act::Snap(r) => { guard!(c.bug == BackupRestored && s.snap[r as usize].is_none()); s.snap[r as usize] = Some(Box::new(s.reps[r as usize].clone())); }
        Act::Restore(r) => {
            guard!(c.bug == BackupRestored && s.snap[r as usize].is_some() && s.bounces < c.bounces);
            s.bounces += 1;
            let old = s.snap[r as usize].take().unwrap();
            let p = &mut s.reps[r as usize];
            let (clk, hg) = (p.clk, p.hg);
            *p = *old;
            p.clk = clk; p.hg = hg + 1; p.role = Role::F; p.c = p.cd; p.until = [0; N];
        }
    }
    R::Ok
}
/// At an election only loss matters: newer, uncommitted rows may lie on top.
fn read_ok_uncommitted(s: &S, row: Option<Row>, k: u8, top: u8) -> Result<(), String> {
    match row { Some(x) if x.r > top => Ok(()), _ => read_ok(s, row, k, top, "elected leader") }
}
/// Invariants of every state: stale reads, lease or confirmed reads, age bound, and (wb) rows = fold of the history named by position.
pub fn check(s: &S, c: &Cfg) -> Result<(), String> {
    let top = s.chosen.len() as u8;
    for (g, p) in s.reps.iter().enumerate() {
        if p.c > top { return Err(format!("replica {g} believes {} committed, only {top} are", p.c)); }
        for k in 0..c.k { let row = p.rows[k]; if row.map_or(0, |x| x.r) <= p.c { read_ok(s, row, k as u8, p.c, "stale read")?; } }
        if c.time && p.fresh > 0 { if let Some(r) = (p.c..top).find(|&r| s.at[r as usize] < p.fresh) { return Err(format!("age: replica {g} claims to be fresh as of {}, misses revision {} of {}", p.fresh, r + 1, s.at[r as usize])); } }
        if lead(s, g as u8).is_some() && confirmed(s, c, g as u8) {
            for k in 0..c.k { let row = p.rows[k]; if row.map_or(0, |x| x.r) <= p.c { read_ok(s, row, k as u8, top, "linearizable read")?; } }
        }
        if c.wb {
            let log = log_of(s, g);
            if log.len() != p.pos.r as usize { return Err(format!("white box: replica {g} position {:?} longer than its history", p.pos)); }
            if p.c > p.pos.r || p.cd > p.c || p.purged > p.cd { return Err(format!("white box: replica {g} purged {} <= durable commit {} <= commit {} <= revision {} broken", p.purged, p.cd, p.c, p.pos.r)); }
            for k in 0..c.k {
                let r = (1..=log.len()).rev().find(|&r| writes(s, log[r - 1], k as u8).is_some());
                let want = r.map(|r| (r as u8, log[r - 1]));
                let good = match (p.rows[k], want) { (Some(x), Some(w)) => (x.r, x.op) == w, (None, None) => true, (None, Some(w)) => w.0 <= p.purged && writes(s, w.1, k as u8) == Some(true), _ => false };
                if !good { return Err(format!("white box: replica {g} key {k} has {:?}, its history says {:?}", p.rows[k], want)); }
            }
        }
    }
    Ok(())
}
