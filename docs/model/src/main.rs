//! Explorers: `explore SCOPE` (breadth first, every state once), `walk SCOPE WALKS LEN SEED` (weighted random walks, swarm weights),
//! `controls WALKS LEN` (each broken variant by random walks, shortest trace by shrinking).
mod heal;
mod pairs;
mod protocol;
mod types;
use protocol::*;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use types::*;

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 { self.0 ^= self.0 << 13; self.0 ^= self.0 >> 7; self.0 ^= self.0 << 17; self.0.wrapping_mul(0x2545F4914F6CDD1D) }
    fn below(&mut self, n: u64) -> u64 { (self.next() >> 11) % n }
}
fn base() -> Cfg {
    Cfg { prefix: "", n: 3, k: 2, init: 0b111, bug: Bug::Amended, wb: true, time: false, drift: false, lg: 3, ll: 3, member: false, learn: false, retry: false, cas: false, del: false,
        watch: 0, repair: true, copy: false, purge: false, confread: false, ops: 3, stands: 3, bounces: 1, ticks: 0, maps: 1, ins: 1,
        atts: 2, marks: 2, fmax: 0, keyed: false, wc: 0, skew: 0, kmax: 30, pairs: false, tells: 0, tx: false, ttl: false, still: 0, unasked: false, framed: false, leap: 0, persist: 0, gap: 0 }
}
/// Clock rates where drift matters: 0 (the leader in the prefixes) slow, 1 (its granter) fast.
const SKEWED: [u8; N] = [9, 11, 10, 10, 10, 10];
/// A leader with a lease from one peer.
const LEASED: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) HbSend(0) HbRecv(1,0,0)";
/// The same, a write of the leader at its granter, and a rival that has asked nobody yet.
const STOPPED: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) HbSend(0) HbRecv(1,0,0) Stand(2) New(0,0,0) Recv(1,1)";
/// The same, and the leader's clock stood still for two ticks, which it found out.
const DROPPED: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) HbSend(0) HbRecv(1,0,0) Stand(2) New(0,0,0) Recv(1,1) Stop(0) Stop(0)";
/// The same as LEASED, and both peers have learned of a joint epoch that the leader has not.
const NEWEPOCH: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) HbSend(0) HbRecv(1,0,0) MStart(0,3) Learn(1,2) Learn(2,2)";
/// The joint epoch's leader 0 committed its barrier, the map settled on {1,2,3} and 2 and 3 know; 0 holds a fresh lease of 1 only.
const SETTLED: &str = "MStart(0,3) Learn(0,2) Learn(1,2) Learn(2,2) Learn(3,2) Stand(0) Promise(1,0) Promise(2,0) Win(0) Recv(1,1) Recv(2,1) Commit(0) MSettle Tick HbSend(0) HbRecv(1,0,0) Tick Learn(2,3) Learn(3,3)";
/// ifAbsent sent but delayed, a put committed, a delete in flight at the leader only.
const RETRIED: &str = "Stand(0) Promise(1,0) Win(0) New(0,0,2) New(0,0,0) Deliver(1,0) Recv(0,1) Recv(1,1) Recv(1,1) Commit(0) LearnC(1,1) New(0,0,1) Deliver(2,0) Recv(0,1)";
/// 2 was exchanged for 3 while 1 never heard of it; a write is committed at {0,3} in the last epoch. 2 learns next.
const REMOVED: &str = "MStart(2,3) Learn(0,2) Learn(2,2) Learn(3,2) Stand(0) Promise(2,0) Promise(3,0) Win(0) Recv(2,1) Recv(3,1) Commit(0) MSettle Learn(0,3) Learn(3,3) Stand(0) Promise(3,0) Win(0) Recv(3,2) New(0,0,0) Recv(0,2) Recv(3,2) Commit(0)";
/// put@1 known committed at 3, delete@2 committed at {0,1,4} and purged at 0 only; 2 has the first page of a copy from 0; 1 leads now.
const RECOPIED: &str = "Stand(0) Promise(1,0) Promise(4,0) Win(0) Recv(1,1) Recv(3,1) Recv(4,1) New(0,0,0) Recv(0,1) Recv(1,1) Recv(3,1) Recv(4,1) Commit(0) LearnC(3,1) New(0,0,1) Recv(0,1) Recv(1,1) Recv(4,1) Commit(0) Purge(0,2) CopyStart(2,0) CopyPage(2,0) Stand(1) Promise(4,1) Promise(2,1) Win(1)";
/// put@1 and delete@2 committed at {0,1}, the delete purged at 0 only; 2 has all pages of a copy from 0; 1 leads now.
const REFLOORED: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) New(0,0,0) Deliver(0,0) Recv(0,1) Recv(1,1) New(0,0,1) Deliver(1,0) Recv(0,1) Recv(1,1) Commit(0) Purge(0,2) CopyStart(2,0) CopyPage(2,0) Stand(1) Promise(2,1) Win(1)";
/// Two keyed puts of one key are committed at {0,1}; the row has forgotten the first.
const FORGOTTEN: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) New(0,0,0) Deliver(0,0) Recv(0,1) Recv(1,1) Commit(0) New(0,0,0) Deliver(1,0) Recv(0,1) Recv(1,1) Commit(0)";
/// ifAbsent failed at ballot 1; leader 1 of the next ballot deleted the key and has the second attempt before it; 0 knows nothing of that.
const TOLD: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) Recv(2,1) New(0,0,2) New(0,0,0) Deliver(1,0) Recv(0,1) Recv(1,1) Recv(2,1) Commit(0) Deliver(0,0) Stand(1) Promise(2,1) Win(1) Recv(2,2) Retry(1,1)";
/// A leader whose barrier is committed.
const BARRIER: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) Recv(2,1) Commit(0)";
/// A transaction wrote both keys, and one of its rows has forgotten it.
const REPEATABLE: &str = "Stand(0) Promise(1,0) Win(0) Recv(1,1) Recv(2,1) New(0,1,3) Deliver(0,0) Recv(0,1) Recv(1,1) Commit(0) New(0,0,0) Deliver(1,0) Recv(0,1) Recv(1,1) Commit(0)";
fn parse(word: &str, c: &Cfg, s: &S) -> Option<Act> {
    let mut list = vec![];
    gen(s, c, &mut list);
    list.iter().find(|x| format!("{:?}", x.0).replace(", ", ",") == word).map(|x| x.0)
}
/// The scope's first state, and the actions that led there.
fn start(c: &Cfg, rates: [u8; N]) -> (S, Vec<Act>) {
    let (mut s, mut acts) = (init(c, rates), vec![]);
    for word in c.prefix.split_whitespace() {
        let done = parse(word, c, &s).map_or(false, |a| { acts.push(a); matches!(apply(&mut s, c, a), R::Ok) });
        assert!(done || c.bug != Bug::Amended, "prefix: {word}"); // a control may change what is possible
    }
    (s, acts)
}
fn scope(name: &str) -> Cfg {
    let b = base();
    match name {
        // small scopes, explored exhaustively
        "core" => Cfg { ops: 2, stands: 2, bounces: 1, ..b },
        "fig8" => Cfg { k: 1, ops: 2, stands: 3, bounces: 1, ..b },
        "watch" => Cfg { ops: 2, stands: 2, bounces: 0, watch: 1, confread: true, ..b },
        "purge" => Cfg { k: 1, ops: 2, stands: 2, bounces: 1, del: true, purge: true, copy: true, ..b },
        "client" => Cfg { k: 1, ops: 2, stands: 2, bounces: 0, retry: true, cas: true, repair: false, ..b },
        "member" => Cfg { n: 4, k: 1, ops: 1, stands: 2, bounces: 0, member: true, maps: 3, repair: false, ..b },
        // large scopes, random walks
        "big3" => Cfg { k: 3, ops: 24, stands: 14, bounces: 8, del: true, purge: true, copy: true, watch: 2, confread: true, cas: true, retry: true, ins: 4, ..b },
        "big5" => Cfg { n: 5, k: 3, init: 0b11111, ops: 24, stands: 14, bounces: 8, del: true, purge: true, copy: true, watch: 2, confread: true, cas: true, ins: 4, ..b },
        "bigmember" => Cfg { n: 5, k: 2, ops: 20, stands: 16, bounces: 5, member: true, del: true, purge: true, copy: true, watch: 1, ins: 4, maps: 9, ..b },
        "bigmember5" => Cfg { n: 6, k: 2, init: 0b11111, ops: 20, stands: 16, bounces: 5, member: true, learn: true, del: true, purge: true, copy: true, watch: 1, ins: 4, maps: 10, ..b },
        "biglease" => Cfg { n: 3, k: 2, ops: 16, stands: 10, bounces: 4, time: true, drift: true, lg: 40, ll: 32, ticks: 120, cas: true, ins: 3, ..b },
        "bigall" => Cfg { n: 5, k: 2, ops: 18, stands: 14, bounces: 4, time: true, drift: true, lg: 40, ll: 32, ticks: 160, member: true, learn: false, cas: true, retry: true, del: true, purge: true, copy: true, watch: 1, ins: 3, maps: 8, ..b },
        // narrow scopes: few kinds of action, so that a rare order of events is met soon
        "leases" => Cfg { prefix: LEASED, k: 1, ops: 2, stands: 3, bounces: 1, time: true, lg: 2, ll: 2, ticks: 12, repair: false, ..b },
        "drift" => Cfg { prefix: LEASED, k: 1, ops: 2, stands: 3, bounces: 1, time: true, drift: true, lg: 44, ll: 36, ticks: 7, repair: false, ..b },
        "leased" => Cfg { prefix: LEASED, k: 1, ops: 1, stands: 2, bounces: 1, time: true, lg: 2, ll: 2, ticks: 4, repair: false, ..b },
        "confirmed" => Cfg { prefix: "Stand(0) Promise(1,0) Win(0) Conf(1,0) HbSend(0) HbRecv(1,0,0)", k: 1, ops: 1, stands: 2, bounces: 1, time: true, lg: 2, ll: 2, ticks: 4, repair: false, ..b },
        "settled" => Cfg { prefix: SETTLED, n: 4, k: 1, ops: 1, stands: 2, bounces: 0, time: true, lg: 2, ll: 2, ticks: 4, member: true, maps: 3, repair: false, ..b },
        "newepoch" => Cfg { prefix: NEWEPOCH, n: 4, k: 1, ops: 1, stands: 2, bounces: 0, time: true, lg: 2, ll: 2, ticks: 4, member: true, maps: 3, repair: false, ..b },
        "retried" => Cfg { prefix: RETRIED, k: 1, ops: 3, stands: 3, bounces: 0, retry: true, cas: true, del: true, repair: false, ..b },
        "removed" => Cfg { prefix: REMOVED, n: 4, k: 1, ops: 2, stands: 3, bounces: 0, member: true, maps: 4, repair: false, ..b },
        "recopied" => Cfg { prefix: RECOPIED, n: 5, k: 2, init: 0b11111, ops: 2, stands: 3, bounces: 0, del: true, purge: true, copy: true, ..b },
        "joint" => Cfg { n: 4, k: 1, ops: 6, stands: 8, bounces: 1, member: true, maps: 6, ..b },
        "copies" => Cfg { n: 5, k: 2, init: 0b11111, ops: 10, stands: 10, bounces: 1, del: true, purge: true, repair: false, copy: true, ins: 2, ..b },
        "clients" => Cfg { k: 1, ops: 10, stands: 8, bounces: 3, retry: true, cas: true, del: true, purge: true, watch: 0, ..b },
        "refloored" => Cfg { prefix: REFLOORED, k: 1, ops: 2, stands: 3, bounces: 0, retry: true, del: true, purge: true, repair: false, copy: true, ..b },
        // keyed writes, transactions, expiry
        "keyed" => Cfg { prefix: FORGOTTEN, k: 1, ops: 2, stands: 2, bounces: 1, retry: true, keyed: true, marks: 1, wc: 3, skew: 1, ..b },
        "forgotten" => Cfg { prefix: FORGOTTEN, k: 1, ops: 3, stands: 3, bounces: 1, retry: true, keyed: true, marks: 1, wc: 5, skew: 1, del: true, purge: true, pairs: true, ..b },
        "refused" => Cfg { prefix: RETRIED, k: 1, ops: 3, stands: 3, bounces: 0, retry: true, keyed: true, atts: 3, fmax: 1, marks: 1, wc: 5, skew: 3, cas: true, del: true, repair: false, ..b },
        "told" => Cfg { prefix: TOLD, k: 1, ops: 3, stands: 2, bounces: 0, retry: true, atts: 3, cas: true, del: true, repair: false, ..b },
        "keys" => Cfg { k: 2, ops: 18, stands: 12, bounces: 5, retry: true, keyed: true, atts: 4, fmax: 2, marks: 1, wc: 7, skew: 2, kmax: 4, pairs: true, cas: true, del: true, purge: true, copy: true, ins: 3, ..b },
        "keys2" => Cfg { k: 2, ops: 22, stands: 12, bounces: 5, retry: true, keyed: true, atts: 4, fmax: 2, wc: 12, skew: 3, kmax: 5, pairs: true, cas: true, del: true, purge: true, copy: true, ttl: true, ins: 3, ..b },
        "onekey" => Cfg { k: 1, ops: 8, stands: 8, bounces: 3, retry: true, keyed: true, atts: 4, fmax: 1, marks: 1, wc: 7, skew: 3, kmax: 3, pairs: true, cas: true, del: true, purge: true, ins: 2, ..b },
        // a memory of keyed writes is told to others: with a repair or a copy, or by itself, at any time and late
        "recalled" => Cfg { prefix: FORGOTTEN, k: 1, ops: 2, stands: 2, bounces: 1, retry: true, keyed: true, marks: 1, wc: 3, skew: 1, tells: 1, ..b },
        "tells" => Cfg { k: 2, ops: 18, stands: 12, bounces: 5, retry: true, keyed: true, atts: 4, fmax: 2, marks: 1, wc: 7, skew: 2, kmax: 4, pairs: true, cas: true, del: true, purge: true, copy: true, ins: 3, tells: 3, ..b },
        "tells1" => Cfg { k: 1, ops: 8, stands: 8, bounces: 3, retry: true, keyed: true, atts: 4, fmax: 1, marks: 1, wc: 7, skew: 3, kmax: 3, pairs: true, cas: true, del: true, purge: true, ins: 2, tells: 2, ..b },
        "tellsmember" => Cfg { n: 5, k: 1, ops: 16, stands: 16, bounces: 3, retry: true, keyed: true, atts: 4, marks: 1, wc: 9, skew: 2, kmax: 6, member: true, copy: true, ins: 3, maps: 9, tells: 3, ..b },
        "tx" => Cfg { prefix: BARRIER, ops: 2, stands: 2, bounces: 0, atts: 1, retry: true, tx: true, marks: 1, repair: false, ..b },
        "txrepeat" => Cfg { prefix: REPEATABLE, ops: 2, stands: 3, bounces: 1, retry: true, tx: true, marks: 1, ..b },
        "txs" => Cfg { ops: 10, stands: 8, bounces: 3, retry: true, atts: 3, tx: true, marks: 1, cas: true, del: true, purge: true, watch: 1, ..b },
        "bigtx" => Cfg { ops: 20, stands: 12, bounces: 5, retry: true, keyed: true, atts: 4, fmax: 3, wc: 12, skew: 3, kmax: 6, pairs: true, tx: true, ttl: true, cas: true, del: true, purge: true, copy: true, watch: 1, ins: 3, ..b },
        "stopped" => Cfg { prefix: STOPPED, k: 1, ops: 1, stands: 2, bounces: 0, time: true, drift: true, lg: 45, ll: 36, ticks: 9, still: 1, repair: false, ..b },
        "dropped" => Cfg { prefix: DROPPED, k: 1, ops: 1, stands: 2, bounces: 0, time: true, drift: true, lg: 45, ll: 36, ticks: 9, still: 1, repair: false, ..b },
        "stops" => Cfg { prefix: LEASED, k: 1, ops: 2, stands: 3, bounces: 1, time: true, drift: true, lg: 45, ll: 36, ticks: 16, still: 1, repair: false, ..b },
        // 4.12.6: a leader counts a replica lower, and the owner of a ballot that is over says so, at any time
        "unasked" => Cfg { prefix: LEASED, k: 1, ops: 1, stands: 2, bounces: 1, time: true, lg: 2, ll: 2, ticks: 4, unasked: true, ..b },
        "bigunasked" => Cfg { n: 3, k: 2, ops: 16, stands: 10, bounces: 4, time: true, lg: 3, ll: 3, ticks: 60, unasked: true, ins: 3, ..b },
        // 4.12.2: one promise leaps; what is refused costs time only (`live` looks from every state whether somebody is elected and commits)
        "leap" => Cfg { k: 1, ops: 1, stands: 3, bounces: 1, time: true, lg: 2, ll: 2, ticks: 5, repair: true, leap: 2, persist: 2, gap: 4, ..b },
        "leaps" => Cfg { k: 1, ops: 6, stands: 9, bounces: 4, time: true, lg: 2, ll: 2, ticks: 40, leap: 2, persist: 3, gap: 6, ins: 2, ..b },
        x => panic!("no scope {x}"),
    }
}
/// Every action that could be enabled, with its weight class for the random walks.
fn gen(s: &S, c: &Cfg, out: &mut Vec<(Act, u8)>) {
    out.clear();
    let n = c.n as u8;
    let leads: Vec<u8> = (0..n).filter(|&l| lead(s, l).is_some()).collect();
    for r in 0..n {
        out.push((Act::Bounce(r), 0)); out.push((Act::Stand(r), 1));
        if c.unasked { for g in 0..n { out.push((Act::Over(g, r), 7)); if lead(s, r).is_some() { out.push((Act::Deny(r, g), 6)); } } }
        if c.leap > 0 {
            out.push((Act::Far(r), 1));
            if let Role::C(_) = s.reps[r as usize].role { for g in 0..n { out.push((Act::Nack(g, r), 2)); } }
            if c.bug == Bug::AgeingUnpromises { out.push((Act::Age(r), 1)); }
        }
        if c.confread { for k in 0..c.k as u8 { out.push((Act::SrRead(r, k), 10)); } out.push((Act::SrFin(r), 10)); }
        if let Role::C(_) = s.reps[r as usize].role { out.push((Act::Win(r), 3)); for g in 0..n { out.push((Act::Promise(g, r), 2)); } }
        for i in 1..s.recs.len() as u8 {
            if s.recs[i as usize].b >= s.reps[r as usize].prom || c.bug == Bug::PromiseNotChecked {
                out.push((Act::Recv(r, i), 4));
                if c.pairs { out.push((Act::Recv2(r, i), 4)); }
                if c.bug == Bug::NoBarrier { out.push((Act::AckBase(r, i), 4)); }
                if c.purge { out.push((Act::PurgeF(r, i), 6)); }
                if c.time { out.push((Act::RelRecv(r, i), 7)); }
            }
            out.push((Act::LearnC(r, i), 5));
        }
        if c.member { for e in s.reps[r as usize].ep + 1..=s.maps.len() as u8 { out.push((Act::Learn(r, e), 8)); } }
        if c.bug == Bug::BackupRestored { out.push((Act::Snap(r), 0)); out.push((Act::Restore(r), 0)); }
    }
    for &l in &leads {
        out.push((Act::Commit(l), 5));
        for k in 0..c.k as u8 { for kind in 0..3 { out.push((Act::New(l, k, kind), 9)); } if c.ttl { out.push((Act::Expire(l, k), 9)); } if c.confread { out.push((Act::CrStart(l, k), 10)); } }
        if c.tx { for form in 0..3 { out.push((Act::New(l, form, 3), 9)); } }
        for g in 0..n {
            if g == l { continue; }
            if c.repair { out.push((Act::Repair(g, l), 11)); }
            if c.bug == Bug::PagesInOrder { out.push((Act::RepairPage(g, l), 11)); }
            if c.copy { out.push((Act::CopyStart(g, l), 12)); out.push((Act::CopyPage(g, l), 13)); out.push((Act::CopyAgain(g, l), 12)); out.push((Act::CopyFin(g, l), 13)); }
            if c.time { for j in 0..lead(s, l).unwrap().hb.len() as u8 { out.push((Act::HbRecv(g, l, j), 14)); } out.push((Act::Conf(g, l), 14)); }

            if c.confread { out.push((Act::CrAck(g, l), 10)); }
        }
        if c.confread { out.push((Act::CrFin(l), 10)); }
        if c.purge { for u in 1..=s.reps[l as usize].pos.r { out.push((Act::Purge(l, u), 6)); } }
        for j in 0..lead(s, l).unwrap().late.len() as u8 { out.push((Act::HbAns(l, j), 14)); }
        if c.time { out.push((Act::HbSend(l), 14)); out.push((Act::Release(l), 7)); out.push((Act::Fresh(l), 15)); out.push((Act::Rd(l), 15)); out.push((Act::RdFin(l), 15)); }
        for j in 0..s.reqs.len() as u8 { out.push((Act::Deliver(j, l), 16)); }
        if c.retry { for o in 1..=s.ops.len() as u8 { out.push((Act::Retry(o, l), 17)); if c.keyed { out.push((Act::Again(o, l, 0), 17)); if c.skew > 0 { out.push((Act::Again(o, l, 1), 17)); } } } }
    }
    if c.tells > 0 {
        for r in 0..n { out.push((Act::Tell(r), 13)); for j in 0..s.mems.len() as u8 { out.push((Act::Mind(r, j), 13)); } }
        for j in 0..s.mems.len() as u8 { out.push((Act::Forget(j), 1)); }
    }
    for j in 0..s.ins.len() as u8 { out.push((Act::Inst(j), 13)); out.push((Act::Drop(j), 1)); }
    for j in 0..s.answ.len() as u8 { out.push((Act::DelAns(j), 16)); }
    for w in 0..c.watch as u8 { out.push((Act::WSnap(w), 18)); out.push((Act::WDel(w), 18)); for r in 0..n { out.push((Act::WMove(w, r), 1)); } }
    if c.member {
        for x in 0..n { out.push((Act::MLearner(x), 19)); for y in 0..n { out.push((Act::MStart(x, y), 19)); } }
        out.push((Act::MSettle, 20)); out.push((Act::MAbandon, 21));
    }
    if c.time { out.push((Act::Tick, 22)); }
    if c.still > 0 { for r in 0..n { out.push((Act::Stop(r), 22)); } }
}
const WEIGHT: [u64; 23] = [10, 14, 60, 200, 60, 60, 10, 8, 14, 10, 6, 14, 6, 30, 12, 8, 16, 6, 10, 3, 20, 3, 8];

struct Walk { rates: [u8; N], acts: Vec<Act>, bad: Option<String> }
fn walk(c: &Cfg, len: usize, seed: u64) -> Walk {
    let mut g = Rng(seed.wrapping_mul(0x9E3779B97F4A7C15) | 1);
    for _ in 0..4 { g.next(); }
    let mut wt = WEIGHT;
    for w in wt.iter_mut() { *w = (*w * [1, 4, 4, 4, 16][g.below(5) as usize]).max(1); } // swarm
    let mut rates = [1; N];
    if c.drift { for r in rates.iter_mut() { *r = 9 + g.below(3) as u8; } }
    let (mut s, mut acts) = start(c, rates);
    let mut list = vec![];
    'step: while acts.len() < len {
        gen(&s, c, &mut list);
        loop {
            if list.is_empty() { break 'step; }
            // choose a class by weight among those present, then an action in it
            let mut has = [0u64; 23];
            for x in &list { has[x.1 as usize] += 1; }
            let total: u64 = (0..23).filter(|&i| has[i] > 0).map(|i| wt[i]).sum();
            let mut t = g.below(total);
            let class = (0..23).filter(|&i| has[i] > 0).find(|&i| if t < wt[i] { true } else { t -= wt[i]; false }).unwrap();
            let nth = g.below(has[class]) as usize;
            let at = list.iter().enumerate().filter(|x| x.1 .1 as usize == class).nth(nth).unwrap().0;
            let a = list.swap_remove(at).0;
            match apply(&mut s, c, a) {
                R::No => continue,
                R::Ok => { acts.push(a); if let Err(e) = check(&s, c) { return Walk { rates, acts, bad: Some(e) }; } continue 'step; }
                R::Bad(e) => { acts.push(a); return Walk { rates, acts, bad: Some(e) }; }
            }
        }
    }
    Walk { rates, acts, bad: None }
}
/// Replays what is still enabled; the executed actions and the violation, if any.
fn replay(c: &Cfg, rates: [u8; N], acts: &[Act]) -> (Vec<Act>, Option<String>) {
    let mut s = init(c, rates);
    let mut done = vec![];
    for &a in acts {
        match apply(&mut s, c, a) {
            R::No => continue,
            R::Ok => { done.push(a); if let Err(e) = check(&s, c) { return (done, Some(e)); } }
            R::Bad(e) => { done.push(a); return (done, Some(e)); }
        }
    }
    (done, None)
}
fn shrink(c: &Cfg, w: &Walk) -> (Vec<Act>, String) {
    let (mut acts, mut bad) = (w.acts.clone(), w.bad.clone().unwrap());
    loop {
        let before = acts.len();
        for size in [8usize, 4, 2, 1] {
            let mut i = 0;
            while i < acts.len() {
                let mut t = acts.clone();
                t.drain(i..(i + size).min(t.len()));
                match replay(c, w.rates, &t) { (d, Some(e)) if d.len() < acts.len() => { acts = d; bad = e; } _ => i += 1 }
            }
        }
        if acts.len() == before { return (acts, bad); }
    }
}
fn show(acts: &[Act]) -> String { acts.iter().map(|a| format!("{a:?}").replace(", ", ",")).collect::<Vec<_>>().join(" ") }

#[derive(Default)]
struct Fx(u64);
impl Hasher for Fx {
    fn finish(&self) -> u64 { let x = self.0; (x ^ x >> 32).wrapping_mul(0xD6E8FEB86659FD93) ^ x >> 29 }
    fn write(&mut self, b: &[u8]) { for ch in b.chunks(8) { let mut a = [0u8; 8]; a[..ch.len()].copy_from_slice(ch); self.write_u64(u64::from_le_bytes(a)); } }
    fn write_u8(&mut self, x: u8) { self.write_u64(x as u64) }
    fn write_u16(&mut self, x: u16) { self.write_u64(x as u64) }
    fn write_u32(&mut self, x: u32) { self.write_u64(x as u64) }
    fn write_usize(&mut self, x: usize) { self.write_u64(x as u64) }
    fn write_u64(&mut self, x: u64) { self.0 = (self.0.rotate_left(26) ^ x).wrapping_mul(0xF1357AEA2E62A9C5); self.0 ^= self.0 >> 31; }
}
fn key(s: &S) -> u64 { let mut h = Fx::default(); s.hash(&mut h); h.finish() }
#[derive(Default)]
struct Id(u64);
impl Hasher for Id { fn finish(&self) -> u64 { self.0 } fn write(&mut self, _: &[u8]) {} fn write_u64(&mut self, x: u64) { self.0 = x } }

/// Bounded liveness: from here on every shard is up, everything that is said is heard, and candidates come in turn, pausing
/// `pause` ticks between two candidacies. Somebody must be elected and commit.
fn elects(s: &S, c: &Cfg) -> Result<(), String> { for down in 0..=c.n as u8 { elects_without(s, c, down)?; } Ok(()) }
fn elects_without(s: &S, c: &Cfg, down: u8) -> Result<(), String> {
    let mut s = s.clone();
    let c = Cfg { ticks: u16::MAX, stands: u8::MAX, ..c.clone() };
    let up: Vec<u8> = (0..c.n as u8).filter(|&r| r != down).collect();
    let say = |s: &mut S, a: Act| -> bool { let mut t = s.clone(); match apply(&mut t, &c, a) { R::Ok => { *s = t; true } _ => false } };
    for turn in 0..24 {
        let r = up[turn % up.len()];
        if s.reps[r as usize].prom.max(s.reps[r as usize].seen) >> 3 >= 29 { break; } // the model's ballots end here
        say(&mut s, Act::Stand(r));
        for _ in 0..2 {
            for &g in &up { say(&mut s, Act::Promise(g, r)); }
            if say(&mut s, Act::Win(r)) {
                let i = lead(&s, r).unwrap().i;
                for _ in 0..c.persist + 2 {
                    for &g in &up { say(&mut s, Act::Recv(g, i)); say(&mut s, Act::Repair(g, r)); }
                    for j in (0..s.ins.len() as u8).rev() { say(&mut s, Act::Inst(j)); }
                    if say(&mut s, Act::Commit(r)) || lead(&s, r).map_or(false, |x| x.bar) { return Ok(()); }
                    say(&mut s, Act::Tick);
                }
            }
            for &g in &up { say(&mut s, Act::Nack(g, r)); }
            say(&mut s, Act::Tick);
        }
        for _ in 0..PAUSE { say(&mut s, Act::Tick); }
    }
    Err(format!("liveness: nobody is elected however long all are asked, without {down}"))
}
/// Between two candidacies of the fair schedule.
const PAUSE: usize = 1;

/// Breadth first over all reachable states; stops at `limit` states (then the depth reached is complete up to depth-1).
fn explore(c: &Cfg, limit: usize) {
    let mut seen: HashSet<u64, BuildHasherDefault<Id>> = HashSet::default();
    let (s0, begun) = start(c, if c.drift { SKEWED } else { [1; N] });
    seen.insert(key(&s0));
    let (mut layer, mut depth, mut trans) = (vec![(s0, begun)], 0usize, 0u64);
    let (mut list, keep) = (vec![], c.bug != Bug::Amended);
    let t0 = std::time::Instant::now();
    while !layer.is_empty() {
        let mut next = vec![];
        for (s, path) in layer {
            gen(&s, c, &mut list);
            for &(a, _) in &list {
                let mut t = s.clone();
                let bad = match apply(&mut t, c, a) { R::No => continue, R::Ok => { trans += 1; if !seen.insert(key(&t)) { continue; } check(&t, c).and_then(|()| if c.leap > 0 { elects(&t, c) } else { Ok(()) }).err() } R::Bad(e) => Some(e) };
                let mut p: Vec<Act> = path.clone();
                p.push(a);
                if let Some(e) = bad { println!("VIOLATION at depth {}: {e}\n  {}\n  after {} states", depth + 1, show(&p), seen.len()); return; }
                if !keep { p.clear(); }
                next.push((t, p));
            }
            if seen.len() >= limit { println!("stopped: {} states, {trans} transitions, depth {depth} complete, {} s", seen.len(), t0.elapsed().as_secs()); return; }
        }
        depth += 1;
        layer = next;
        eprintln!("  depth {depth}: frontier {}, states {}, {} s", layer.len(), seen.len(), t0.elapsed().as_secs());
    }
    println!("exhausted: {} states, {trans} transitions, depth {depth}, {} s, no violation", seen.len(), t0.elapsed().as_secs());
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let num = |i: usize, d: u64| a.get(i).and_then(|x| x.parse().ok()).unwrap_or(d);
    let bug_of = |n: &str| BUGS.iter().find(|x| format!("{:?}", x.0) == n).unwrap_or_else(|| panic!("no control {n}")).0;
    match a.get(1).map(|x| x.as_str()) {
        Some("explore") => {
            let mut c = scope(&a[2]);
            if let Some(b) = a.get(4) { c.bug = bug_of(b); c.wb = false; if c.bug == Bug::NoDriftBound { c.ll = c.lg; } if c.bug == Bug::LeapForgotten { c.gap = 2; } }
            print!("{} ", a[2]);
            explore(&c, num(3, 20_000_000) as usize);
        }
        Some("heal") => heal::main(&a[2..]),
        Some("pairs") => pairs::main(&a[2..]),
        Some("walk") => {
            let mut c = scope(&a[2]);
            if let Some(b) = a.get(6) { c.bug = bug_of(b); c.wb = false; if c.bug == Bug::NoDriftBound { c.ll = c.lg; } }
            let (walks, len, seed) = (num(3, 1000), num(4, 200) as usize, num(5, 1));
            let (mut steps, mut won, mut chosen, t0) = (0u64, 0u64, 0u64, std::time::Instant::now());
            for i in 0..walks {
                let w = walk(&c, len, seed + i);
                steps += w.acts.len() as u64;
                won += w.acts.iter().filter(|a| matches!(a, Act::Win(_))).count() as u64;
                chosen += w.acts.iter().filter(|a| matches!(a, Act::Commit(_))).count() as u64;
                if w.bad.is_some() {
                    let (acts, bad) = shrink(&c, &w);
                    println!("{} VIOLATION in walk {} after {steps} steps: {bad}\n  {} actions, rates {:?}: {}", a[2], i + 1, acts.len(), w.rates, show(&acts));
                    return;
                }
            }
            if c.keyed { println!("keyed: found in memory only {:?}, vouched for by memory only {:?}, unknown {:?}", MET[0], MET[1], MET[2]); }
            println!("{} {walks} walks, {steps} steps, {won} elections won, {chosen} commit steps, {} s, no violation", a[2], t0.elapsed().as_secs());
        }
        Some("replay") => { // replay SCOPE CONTROL ACTION... : prints which actions were enabled, and the verdict
            let mut c = scope(&a[2]);
            c.bug = bug_of(&a[3]);
            c.wb = c.bug == Bug::Amended;
            if c.bug == Bug::NoDriftBound { c.ll = c.lg; }
            let mut s = init(&c, if c.drift { SKEWED } else { [1; N] });
            for word in a[4..].iter().flat_map(|x| x.split(' ')) {
                let x = parse(word, &c, &s);
                let r = x.map_or(R::No, |x| apply(&mut s, &c, x));
                println!("{word}: {}{}", match &r { R::No => "not enabled", R::Ok => "ok", R::Bad(e) => e }, check(&s, &c).err().map_or(String::new(), |e| format!(" -> {e}")));
            }
        }
        Some("controls") => {
            let (secs, len) = (num(2, 20), num(3, 200) as usize);
            let only = a.get(4).map(|x| bug_of(x));
            let names = ["big3", "clients", "leases", "drift", "confirmed", "settled", "newepoch", "retried", "removed", "recopied", "joint", "copies", "bigmember", "bigmember5", "bigall", "big5"];
            let newer = ["keys", "tells", "tells1", "onekey", "refused", "told", "forgotten", "refloored", "txrepeat", "keys2", "txs", "bigtx", "stopped", "dropped", "stops"];
            let at = |b: Bug| BUGS.iter().position(|x| x.0 == b).unwrap();
            for &(bug, text) in BUGS {
                let is_newer = matches!(bug, Bug::ToldWithoutLease | Bug::CopyForgetsFloor) || (at(Bug::RepeatIsNew)..=at(Bug::ExpiryForgets)).contains(&at(bug)) || (at(Bug::ShortStops)..=at(Bug::StampAtStop)).contains(&at(bug));
                let names: &[&str] = if is_newer { &newer } else { &names };
                if bug == Bug::Amended || only.map_or(false, |o| o != bug) { continue; }
                let t0 = std::time::Instant::now();
                let (mut steps, mut walks, mut best): (u64, u64, Option<(Vec<Act>, String, &str, u64, u64)>) = (0, 0, None);
                let mut extra = 0;
                'hunt: for i in 0.. {
                    for name in names {
                        let mut c = scope(name);
                        c.bug = bug; c.wb = false;
                        if bug == Bug::NoDriftBound { c.ll = c.lg; }
                        let w = walk(&c, len, 7_000_000 + i);
                        walks += 1;
                        steps += w.acts.len() as u64;
                        if w.bad.is_some() {
                            let (acts, bad) = shrink(&c, &w);
                            let first = best.as_ref().map_or((walks, steps), |b| (b.3, b.4));
                            if best.as_ref().map_or(true, |b| acts.len() < b.0.len()) { best = Some((acts, bad, name, first.0, first.1)); }
                            extra += 1;
                        }
                        if extra >= 12 || t0.elapsed().as_secs() >= secs { break 'hunt; }
                    }
                }
                match best {
                    Some((acts, bad, name, w, st)) => println!("CAUGHT {bug:?} | {text} | first after {w} walks, {st} steps | {bad} | {name}, {} actions: {}", acts.len(), show(&acts)),
                    None => println!("MISSED {bug:?} | {text} | {walks} walks, {steps} steps"),
                }
            }
        }
        _ => println!("explore SCOPE [LIMIT [CONTROL]] | walk SCOPE WALKS LEN SEED [CONTROL] | controls SECONDS LEN [CONTROL]"),
    }
}
