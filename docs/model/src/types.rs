//! State of one partition's group, what is durable, what is volatile, and what is ghost (known to the checker only).
pub const N: usize = 6; // shards that exist
pub const K: usize = 3; // keys
pub const NONE: u8 = 255;
pub type Rows = [Option<Row>; K];

/// (ballot, revision): names exactly one history, because a ballot has one leader and a leader only appends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Pos { pub b: u8, pub r: u8 }

/// `op` is value and request id at once (the top bit: a transaction's else branch). `ids` with their origins and `floor` = the
/// dedupe memory of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Row { pub r: u8, pub op: u8, pub tomb: bool, pub bal: u8, pub ids: [u8; 2], pub orgs: [u8; 2], pub floor: u8 }
/// What one revision writes: one row, or the two of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wr { pub k: u8, pub row: Row, pub also: Option<(u8, Row)> }

/// A staging generation: base `c0`, the base it has once the present pass over the keys is through, first pass or a later one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stg { pub id: u8, pub b: u8, pub c0: u8, pub after: u8, pub again: bool, pub next: u8, pub purged: u8, pub pfl: u8, pub rows: Rows }

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lead {
    pub b: u8, pub i: u8,            // ballot, index of its ghost record
    pub acked: [u8; N], pub bar: bool, // durable revision per replica at this ballot; barrier committed
    pub mem: Rows,                   // newest rows incl. in flight
    pub dec: Vec<(u8, u8)>, pub dfl: u8, // ops answered "condition failed" at this ballot, with the origin decided on; floor of those forgotten
    pub lease: [(u8, u16); N],       // per peer: grant generation, until (own clock)
    pub conf: [u8; N],               // grant generation in which the peer confirmed this ballot for this partition
    pub hb: Vec<u16>, pub rd: bool,
    pub late: Vec<(u8, u8, u16)>,    // heartbeats' answers that may come again: peer, grant generation, own sending time (scopes in which clocks stop)
    pub cr: Option<(u8, Option<Row>, u8, u8)>, // confirm-read: key, captured row, ghost floor, confirmed by
}
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cand { pub b: u8, pub mask: u8, pub info: [(Pos, u8); N] }
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Role { F, C(Box<Cand>), L(Box<Lead>) }

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rep {
    // durable
    pub prom: u8, pub ep: u8, pub pos: Pos, pub rows: Rows, pub cd: u8, pub purged: u8, pub pfl: u8, pub stg: Option<Stg>,
    pub pp: u8, // previous promise (used by the BallotReuse control only)
    // volatile
    pub c: u8, pub role: Role, pub hg: u8, pub clk: u16, pub rate: u8, pub wait: u16,
    pub until: [u16; N], pub gen: [u8; N], pub relb: u8, pub ackd: u8, pub fresh: u16, // released ballot heard of; ballot acknowledged since the start
    pub sr: Option<(u8, Option<Row>, u8)>, pub before: Pos, // a stale read under way; position one batch ago (PromiseNotAtomic only)
    pub km: Vec<(u8, u8, u8)>, pub kbeg: u8, pub kfl: [u8; K], pub kdrop: u8, pub kr: u8, // keyed writes seen (op, origin, revision); begun at; per key; greatest origin dropped; revision it began at
    pub seen: u8, pub leaps: [(u8, u16, u16); N], // 4.12.2: greatest ballot heard of; leaps that were said: round, since, last
    pub stood: u16, pub since: u16, // for how long its clock stood still unseen; own stamps up to here are void
    // ghost
    pub h: u8,
}
/// Ghost record of one leadership; its batches can be (re)delivered for ever.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rec {
    pub b: u8, pub ep: u8, pub base: Pos, pub rows: Vec<Wr>, pub log: Vec<u8>,
    pub commit: u8, pub purge: u8, pub rel: bool, pub fr: (u16, u8),
}
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Map { pub old: u8, pub new: u8, pub lrn: u8, pub ready: bool }
/// Kinds: 0 put, 1 delete, 2 put ifRevision, 3 transaction over keys 0 and 1 (`k` is its form), 4 expiry. `gw`: attempts made by another gateway.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Op { pub k: u8, pub kind: u8, pub exp: u8, pub exp2: u8, pub gw: u8, pub att: u8, pub failed: bool, pub okrev: u8, pub wasfalse: bool }
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum D { Keep, Absent, Put(Row) }
/// A repair on its way: a delta from an exact position, or a finished full copy (`stg` != 0).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ins { pub i: u8, pub dst: u8, pub from: Pos, pub to: Pos, pub d: [D; K], pub purged: u8, pub pfl: u8, pub stg: u8, pub c0: u8, pub mem: Option<Mem> }
/// What a replica tells of the keyed writes it remembers: its position's ballot, how far its history goes, the floor, the marks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Mem { pub b: u8, pub r: u8, pub floor: u8, pub km: Vec<(u8, u8, u8)> }
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct W { pub at: u8, pub w: u8, pub pend: Option<(u8, u8, Rows)>, pub seen: [u8; K] }

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct S {
    pub reps: Vec<Rep>, pub recs: Vec<Rec>, pub maps: Vec<Map>, pub ops: Vec<Op>,
    pub chosen: Vec<u8>, pub at: Vec<u16>, pub cb: Vec<u8>, // ghost: op per revision, when and at which ballot it was first committed
    pub reqs: Vec<(u8, u8, u8, u8)>, pub answ: Vec<(u8, u8)>, pub ins: Vec<Ins>, pub ws: Vec<W>, pub mems: Vec<Mem>,
    pub now: u16, pub bounces: u8, pub stands: u8, pub stgid: u8, pub snap: Vec<Option<Box<Rep>>>,
}

#[derive(Clone, Debug)]
pub struct Cfg {
    pub prefix: &'static str, // actions every run of this scope begins with
    pub n: usize, pub k: usize, pub init: u8, pub bug: Bug, pub wb: bool,
    pub time: bool, pub drift: bool, pub lg: u16, pub ll: u16,
    pub member: bool, pub learn: bool, pub retry: bool, pub cas: bool, pub del: bool, pub watch: usize, pub repair: bool, pub copy: bool, pub purge: bool, pub confread: bool,
    pub ops: usize, pub stands: u8, pub bounces: u8, pub ticks: u16, pub maps: usize, pub ins: usize,
    pub atts: u8, pub marks: usize, pub fmax: usize, // attempts of a request; marks of a row (1 or 2); failed conditions remembered (0: all)
    pub keyed: bool, pub wc: u8, pub skew: u8, pub kmax: usize, pub pairs: bool, pub tells: usize, // 4.7.6: window of clients, clocks' difference, keyed writes remembered, batches of two, memories on their way (0: none is ever told)
    pub unasked: bool, // 4.12.6: followers state unasked what they have and whose ballot they follow
    pub framed: bool, pub leap: u8, pub persist: u16, pub gap: u16, // Accepts in frames (pairs.rs); 4.12.2: greatest leap in rounds (0: all is believed), said for so long is believed, forgotten after
    pub tx: bool, pub ttl: bool, pub still: u16, // transactions; expiry; for how long a clock may stand still unseen
}
impl Cfg { pub fn w(&self) -> u8 { if self.bug == Bug::WindowOfClients { self.wc } else { self.wc + self.skew } } }

macro_rules! bugs { ($($n:ident $d:literal),* $(,)?) => {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)] pub enum Bug { $($n),* }
    pub const BUGS: &[(Bug, &str)] = &[$((Bug::$n, $d)),*];
} }
bugs! {
    Amended "the amended rules",
    // election, accept, commit
    QuorumOne "elect and commit with one replica",
    NoPositionCheck "accept a batch whatever the own position is",
    PromiseNotChecked "accept a batch of a lower ballot than promised",
    SelfUnchecked "a candidate installs and counts itself after it promised a higher ballot",
    PromiseNotAtomic "the position answered with a promise was read before the promise was written",
    BallotReuse "own ballot not durable before Prepare is sent; reused after a restart",
    BackupRestored "database restored from a backup under the same shard id",
    NoBarrier "no position bump at the new ballot: commit by counting rows of an older ballot (Figure 8)",
    AdoptedIsCommitted "a new leader takes all it adopted as committed",
    AckBeforeOwnApply "commit counted without the leader's own durable apply, reads from its rows",
    RevisionOnly "most advanced = greatest revision, ballot ignored",
    // repair
    PagesInOrder "catch-up in pages by revision onto the live rows, position = greatest row",
    LivePages "full copy in pages onto the live rows, position moved at the end",
    NoUndo "repair sends rows past the base but not the present rows of the own keys past it",
    BaseFromOthers "diff base = greatest commit point heard of, not the replica's own",
    CommitAnyBallot "a follower takes a commit point without having accepted at that ballot",
    CommitReadAfterRow "a stale read compares its row with a commit point taken after the row was read",
    LateCopy "a finished copy installs although the replica has moved on",
    BackwardDiff "a diff from a source that is behind takes the replica back",
    LateDiff "a diff installs although the position it was made from is no longer there",
    PosFromRows "after a restart position = (ballot, revision) of the greatest row",
    RevFromRows "after a restart the revision is that of the greatest row (purged tombstone)",
    // purge
    PurgeByPosition "full copy decided by the replica's revision instead of its diff base",
    PurgeDuringCopy "copy finishes although the source purged past the copy's base",
    CopyFromDeposed "a copy takes a page from a leader older than the one before",
    PassMovesBaseEarly "a later pass of a copy counts from its own start before it is through",
    CopyForgetsPurge "a copy resumed from another leader keeps only the last source's purge point",
    CopyForgetsFloor "a copy resumed from another leader keeps only the last source's dedupe floor",
    InstallWithoutCommit "a repair moves the purge point but not the commit bound",
    PurgeUncommitted "purge point past the commit point",
    // clients
    CondOnCommitted "condition decided on committed state while a write to the key is in flight",
    FailOnUncommitted "failed condition answered from a row that is not committed",
    FailWithoutLease "failed condition answered without lease or confirmed ballot",
    FailBeforeBarrier "failed condition answered before the barrier is committed",
    LastIdOnly "dedupe by the last request id of the row only",
    NoPurgeFloor "purging a tombstone forgets its request ids",
    AnyLeaderRuns "a request is run by whichever leader it reaches, not only the ballot it names",
    NoFailMemory "a leader does not remember the failed conditions it answered",
    OldAnswerTaken "gateway takes the failed answer of an earlier attempt",
    DedupeBeforeCommit "a repeated request is answered from a row that is not committed",
    ToldWithoutLease "a remembered failure is answered again without lease or confirmed ballot",
    // keyed writes
    RepeatIsNew "a keyed write that the row has forgotten counts as first attempted when it arrives",
    WindowOfClients "the window is that of clients, without the difference between clocks",
    NoKeyedMemory "a replica forgets the keyed writes that it saw pass, and still vouches for them",
    MemoryOutlivesRepair "the memory of keyed writes is kept through repair and copy",
    MemoryFromStart "the memory of a restarted replica counts as complete from the start",
    SeenIsComplete "a key counts as known from its beginning once one of its rows has passed",
    MemoryOfOtherHistory "a memory that is told counts at whatever ballot the receiver's position is",
    MemoryWithHole "a memory that is told counts though the receiver saw nothing pass between its end and the own one's beginning",
    RemembersAhead "of a memory that is told, writes past the receiver's own position are remembered too",
    BeginsWhole "a memory that begins counts as complete from the beginning, though there are writes before it",
    MemoryToldWhole "a memory is told as complete from the beginning",
    DropsQuietly "what falls off the bounded memory does not raise its floor",
    BatchHidesKeyed "a batch holds a row that has forgotten a keyed write of the same batch",
    KeepsUnsent "what a deposed leader decided and never applied stays in its memory",
    MarkNeedsRow "a remembered keyed write counts only where the key has a row (not after a purge)",
    FailFloorByOrigin "the floor of the failed conditions is compared with a keyed write's origin, not its earliest attempt",
    GatewayRepeatsFailure "a gateway answers a repeat with the failure it remembers, though another gateway was asked since",
    GatewayRetriesOn "a gateway goes on trying after the client has turned to another one",
    // transactions, expiry
    TxSplit "a batch may end within a transaction",
    TxFirstRowOnly "only the first row that a transaction writes carries its mark",
    TxAnyFloor "one row that reaches back far enough vouches for both branches",
    TxBranchAskedAgain "a repeat of a transaction is answered with the branch that it would take now",
    TxFailFirstRow "a transaction that writes nothing is answered when the first row it compared is committed",
    TxCompareCommitted "a transaction compares committed rows while later ones are in flight",
    ExpiryForgets "the tombstone of an expiry carries no marks",
    // watches
    NaiveWatch "watch = rows between cursor and commit point, cursor := commit point",
    WatchKeepsSnapshot "a watch's snapshot survives an undo of the replica",
    // leases
    NoRestartWait "a restarted acceptor promises at once",
    NoDriftBound "leader counts the full L with drifting clocks",
    PairLease "a lease between two shards covers every partition the holder thinks it leads",
    ConfirmProtectsNothing "only batches, not a Confirm, make a grant protect the partition",
    EpochDropsGrant "learning a new epoch drops the running grant",
    LeaseOldOnly "lease from a majority of the old set only",
    LeaseFromReply "leader counts L from the reply instead of from its sending",
    LeaseFlag "the lease is a flag that was set before the request arrived",
    ReleasedKeepsServing "a leader that handed over serves on at its ballot",
    FreshBeforeBarrier "age of a stale read taken from a leader whose barrier is not committed",
    FreshWithoutLease "age of a stale read taken from a leader without lease",
    ShortStops "a clock that stood still is compared with the last look, so that short stops do not add up",
    LongStops "a clock may stand still unseen for longer than the discount covers (L/4)",
    StampsOutliveStop "stamps from before a clock stood still are counted after it",
    StampAtStop "a stamp equal to the reading at which the stop was found is counted",
    // membership
    SettleOnData "settle when a majority of the new set has the data (no barrier at the joint epoch)",
    CommitOldOnly "in the joint epoch commit by the old majority only",
    CommitNewOnly "in the joint epoch commit by the new majority only",
    ElectNewOnly "in the joint epoch elect by the new majority only",
    ForgetRecord "a removed replica forgets its promise and epoch",
    EpochUnchecked "acceptors do not compare epochs",
    LeaderKeepsBallot "a leader takes a new epoch over without a new ballot and keeps its acks",
    NoJoint "the map goes straight from the old set to the new one",
    LearnerVotes "a learner promises and is counted",
    // what is not believed (4.12.2)
    LeapSkipsOrder "a ballot that goes on being said is promised though a higher one was promised",
    AgeingUnpromises "a promise to whom was silent for long is taken back, as if it had never been believed",
    LeapNeverBelieved "a ballot that leaps is never believed, however long it is said",
    LeapForgotten "a leap is forgotten in a shorter time than passes between two candidacies",
    OverThoughServing "who leads or stands at a ballot answers that it is over",
    // deliberately harmless, to see that the check is not trigger-happy
    Harmless "(nothing broken; must not be caught)",
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Act {
    Bounce(u8), Stand(u8), Promise(u8, u8), Win(u8), Recv(u8, u8), AckBase(u8, u8), Commit(u8), LearnC(u8, u8),
    Repair(u8, u8), RepairPage(u8, u8), CopyStart(u8, u8), CopyPage(u8, u8), CopyAgain(u8, u8), CopyFin(u8, u8), Inst(u8), Drop(u8),
    Purge(u8, u8), PurgeF(u8, u8),
    New(u8, u8, u8), Deliver(u8, u8), Retry(u8, u8), Again(u8, u8, u8), DelAns(u8), Recv2(u8, u8), Expire(u8, u8), Stop(u8),
    MLearner(u8), MStart(u8, u8), MSettle, MAbandon, Learn(u8, u8),
    Tick, HbSend(u8), HbRecv(u8, u8, u8), HbAns(u8, u8), Conf(u8, u8), Release(u8), RelRecv(u8, u8), Fresh(u8), Rd(u8), RdFin(u8),
    SrRead(u8, u8), SrFin(u8), CrStart(u8, u8), CrAck(u8, u8), CrFin(u8),
    WSnap(u8), WDel(u8), WMove(u8, u8), Snap(u8), Restore(u8), Far(u8), Nack(u8, u8), Age(u8), Deny(u8, u8), Over(u8, u8), Tell(u8), Mind(u8, u8), Forget(u8),
}
pub enum R { No, Ok, Bad(String) }
