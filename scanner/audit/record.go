package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Record ends a run of this worker with its report, in one transaction: the report,
// the findings, what changed, and who is to be told. Where the database does not
// answer, it is asked again for some seconds: a scan is not thrown away for that.
func (s *Store) Record(ctx context.Context, id string, rep *scanner.Report) error {
	return s.record(ctx, id, rep, func(tx) error { return nil })
}

// record is as Record; more takes part in the transaction.
func (s *Store) record(ctx context.Context, id string, rep *scanner.Report, more func(tx) error) error {
	doc, err := s.document(rep)
	if err != nil {
		return fmt.Errorf("store the report of the run %s: %w", id, err)
	}
	err = s.insist(ctx, func(t tx) error {
		if err := s.write(ctx, t, id, rep, doc); err != nil {
			return err
		}
		return more(t)
	})
	switch {
	case err == nil, errors.Is(err, ErrLost) && s.wrote(ctx, id): // the answer to an earlier attempt got lost
		return nil
	}
	return fmt.Errorf("store the run %s: %w", id, err)
}

// insist writes what must not get lost, see [again].
func (s *Store) insist(ctx context.Context, fn func(tx) error) error {
	return again(ctx, func() error { return s.db.write(ctx, fn) })
}

// again asks the database once more, after pauses that grow, where it does not
// answer, for example because it is started again. An answer is not asked for twice.
func again(ctx context.Context, ask func() error) error {
	answers := []error{ErrLost, ErrNoRun, ErrNoAudit, errReport}
	for pause := firstPause; ; pause *= 2 {
		err := ask()
		if err == nil || pause > lastPause || slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) }) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// errReport says that a report cannot be stored, however often it is tried.
var errReport = errors.New("the report does not hold together")

// The pauses between attempts double, from the first to the last.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 8 * time.Second
)

// wrote says whether this worker has written the run.
func (s *Store) wrote(ctx context.Context, id string) bool {
	run, err := s.Run(ctx, id)
	return err == nil && run.State == Done && run.Worker == s.worker
}

// write writes a run of this worker with its report.
func (s *Store) write(ctx context.Context, t tx, id string, rep *scanner.Report, doc *document) error {
	r := &recording{tx: t, run: id, rep: rep, content: doc.hash}
	var worker string
	found, err := one(ctx, t, []any{&r.audit, &r.cause, &worker}, `SELECT audit, cause, worker FROM run WHERE id = $1 AND state = 'running' `+s.db.words()["lock"], id)
	if err != nil {
		return err
	}
	if !found || worker != s.worker {
		return ErrLost
	}
	if r.at, err = s.book(ctx, t, r.audit); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `INSERT INTO document (hash, data) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, doc.hash, doc.body); err != nil {
		return err
	}
	if err := r.findings(ctx); err != nil {
		return err
	}
	r.counts.Suppressed, r.counts.Unknown = rep.Summary.Suppressed, rep.Summary.Unknown
	counts, err := json.Marshal(r.counts)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE run SET state = 'done', finished_at = $2, complete = $3, reason = $4, counts = $5, head = $6, body = $7 WHERE id = $1`,
		id, r.at, truth(rep.Run.Complete), rep.Run.Error, string(counts), doc.head, doc.hash); err != nil {
		return err
	}
	return s.notifyChanges(ctx, t, r)
}

// book opens the book of an audit for this transaction, and returns the time of what
// is written into it. Whoever else has something to book waits until the transaction
// ends, and gets a later time, also where the clock was put back meanwhile: in the
// order of its times, the history of a target is what happened.
func (s *Store) book(ctx context.Context, t tx, audit string) (int64, error) {
	var at int64
	_, err := one(ctx, t, []any{&at}, `INSERT INTO book (audit, at) VALUES ($1, $2)
		ON CONFLICT (audit) DO UPDATE SET at = CASE WHEN excluded.at > book.at THEN excluded.at ELSE book.at + 1 END RETURNING at`, audit, s.now())
	if err != nil {
		return 0, fmt.Errorf("open the book of the audit %q: %w", audit, err)
	}
	return at, nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// document is a report as the database keeps it.
type document struct {
	head []byte // what differs from run to run
	body []byte // the rest
	hash string // of the rest
}

// reportHead is what of a report differs from run to run even where nothing changed.
type reportHead struct {
	Run     scanner.Run    `json:"run"`
	Sources []facts.Source `json:"sources"`
}

func (s *Store) document(rep *scanner.Report) (*document, error) {
	head, err := json.Marshal(reportHead{rep.Run, rep.Sources})
	if err != nil {
		return nil, err
	}
	rest := *rep
	rest.Run, rest.Sources = scanner.Run{Params: map[string]any{}, Targets: []facts.Target{}}, []facts.Source{}
	var body bytes.Buffer
	if err := s.opts.Encode(&body, &rest); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.Bytes())
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &document{head: enc.EncodeAll(head, nil), body: enc.EncodeAll(body.Bytes(), nil), hash: hex.EncodeToString(sum[:])}, nil
}

// maxDocument bounds what a stored report may unpack to.
const maxDocument = 4 << 30

// Report returns the report of a run that is done, as it was written.
func (s *Store) Report(ctx context.Context, id string) (*scanner.Report, error) {
	var head, body []byte
	var state State
	err := s.db.read(ctx, func(q querier) error {
		found, err := one(ctx, q, []any{&state, &head, &body}, `SELECT r.state, r.head, d.data FROM run r LEFT JOIN document d ON d.hash = r.body WHERE r.id = $1`, id)
		if err == nil && !found {
			return fmt.Errorf("%w %q", ErrNoRun, id)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case state != Done:
		return nil, fmt.Errorf("the run %s is %s and has no report", id, state)
	case body == nil:
		return nil, fmt.Errorf("the report of the run %s was pruned", id)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDocument))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	if head, err = dec.DecodeAll(head, nil); err != nil {
		return nil, fmt.Errorf("unpack the header of the report of the run %s: %w", id, err)
	}
	if body, err = dec.DecodeAll(body, nil); err != nil {
		return nil, fmt.Errorf("unpack the report of the run %s: %w", id, err)
	}
	rep, err := s.opts.Decode(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read the report of the run %s: %w", id, err)
	}
	var h reportHead
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, fmt.Errorf("read the header of the report of the run %s: %w", id, err)
	}
	rep.Run, rep.Sources = h.Run, h.Sources
	return rep, nil
}

// recording writes one report into the history.
type recording struct {
	tx    tx
	run   string
	audit string
	cause string
	at    int64 // of everything that it books, see [Store.book]
	rep   *scanner.Report
	// content is the hash of the report without what differs from run to run.
	content  string
	promised bool // the words of its checks are stored
	counts   Counts
	// notes are the changes of open findings, for notifications.
	notes []note
}

// note is a change that people may want to be told of.
type note struct {
	kind     string
	severity scanner.Severity
	check    string
	title    string
	target   string
	resource string
	message  string
}

// seen is what a report says of one fingerprint.
type seen struct {
	*scanner.Finding // the worst that counts, else the worst
	copies           int
}

// row is what the history says of it.
type row struct {
	id          int64
	check       string
	severity    scanner.Severity
	title       string
	kind        string
	resource    string
	message     string
	copies      int
	standing    Standing
	suppression *string
	lastSeen    *int64 // nil: by the target's last scan
}

func (r *recording) findings(ctx context.Context) error {
	groups, byRef := groupTargets(r.rep.Run.Targets)
	for i := range r.rep.Findings {
		f := &r.rep.Findings[i]
		g := byRef[f.Target]
		if g == nil {
			return fmt.Errorf("%w: it has a finding on the target %q, which it does not name", errReport, f.Target)
		}
		m := g.found
		old, ok := m[f.Fingerprint]
		if !ok || worse(f, old.Finding) {
			m[f.Fingerprint] = seen{f, old.copies + 1}
		} else {
			m[f.Fingerprint] = seen{old.Finding, old.copies + 1}
		}
		if f.Suppressed == nil {
			r.counts.severity(f.Severity, 1)
		}
	}
	for _, g := range groups {
		if err := r.target(ctx, g); err != nil {
			return fmt.Errorf("target %s: %w", g.ref(), err)
		}
	}
	return r.otherTargets(ctx, groups)
}

// group are the targets of a report that are one to the history, as two tags of a
// repository are: their findings share fingerprints.
type group struct {
	identity string
	kind     string
	targets  []*facts.Target
	found    map[string]seen // by fingerprint
}

func groupTargets(targets []facts.Target) (groups []*group, byRef map[string]*group) {
	byIdentity, byRef := map[string]*group{}, map[string]*group{}
	for i := range targets {
		t := &targets[i]
		identity := cmp.Or(t.Identity, t.Ref)
		g := byIdentity[identity]
		if g == nil {
			g = &group{identity: identity, kind: t.Kind, found: map[string]seen{}}
			byIdentity[identity] = g
			groups = append(groups, g)
		}
		g.targets = append(g.targets, t)
		byRef[t.Ref] = g
	}
	return groups, byRef
}

// maxRefs bounds how many names of a target are shown.
const maxRefs = 5

// ref is what people call the target.
func (g *group) ref() string {
	refs := make([]string, 0, maxRefs)
	for _, t := range g.targets[:min(len(g.targets), maxRefs)] {
		refs = append(refs, t.Ref)
	}
	if more := len(g.targets) - len(refs); more > 0 {
		refs = append(refs, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(refs, ", ")
}

// problem is why the target was not scanned whole; empty where it was.
func (g *group) problem(rep *scanner.Report) string {
	for _, t := range g.targets {
		if t.Error != "" {
			return t.Error
		}
	}
	if !rep.Run.Complete {
		return cmp.Or(rep.Run.Error, "the scan was broken off")
	}
	return ""
}

// worse says which of two findings of one fingerprint speaks for both.
func worse(a, b *scanner.Finding) bool {
	if (a.Suppressed == nil) != (b.Suppressed == nil) {
		return a.Suppressed == nil
	}
	return a.Severity > b.Severity
}

// promises stores the words of the checks, once. Those that did not change are not
// written: runs of other audits, which share them, would wait.
func (r *recording) promises(ctx context.Context) error {
	if r.promised {
		return nil
	}
	for _, c := range slices.SortedFunc(slices.Values(r.rep.Checks), func(x, y scanner.CheckCount) int { return cmp.Compare(x.ID, y.ID) }) {
		detail, err := json.Marshal(c.Rule)
		if err != nil {
			return err
		}
		same := false
		if _, err := one(ctx, r.tx, []any{&same}, `SELECT detail = $2 FROM promise WHERE check_id = $1`, c.ID, string(detail)); err != nil {
			return err
		}
		if same {
			continue
		}
		if _, err := r.tx.exec(ctx, `INSERT INTO promise (check_id, title, detail) VALUES ($1, $2, $3)
			ON CONFLICT (check_id) DO UPDATE SET title = excluded.title, detail = excluded.detail`, c.ID, c.Title, string(detail)); err != nil {
			return err
		}
	}
	r.promised = true
	return nil
}

// target books one target and its findings. Of one on which the report says what was
// booked of it last, and nothing happened since, only the time is new.
func (r *recording) target(ctx context.Context, g *group) error {
	var before lastSeen
	var booked *string
	ok, err := one(ctx, r.tx, []any{&before.target, &before.at, &before.run, &booked}, `INSERT INTO target (audit, identity, kind, ref) VALUES ($1, $2, $3, $4)
		ON CONFLICT (audit, identity) DO UPDATE SET kind = excluded.kind, ref = excluded.ref, gone_at = NULL RETURNING id, seen_at, seen_run, booked`, r.audit, g.identity, g.kind, g.ref())
	if err != nil || !ok {
		return err
	}
	id := before.target
	if reason := g.problem(r.rep); reason != "" {
		r.counts.Stale++
		_, err = r.tx.exec(ctx, `UPDATE target SET stale_at = COALESCE(stale_at, $2), stale_reason = $3, booked = NULL WHERE id = $1`, id, r.at, reason)
	} else {
		now := g.content(r.content)
		_, err = r.tx.exec(ctx, `UPDATE target SET seen_at = $2, seen_run = $3, stale_at = NULL, stale_reason = '', booked = $4 WHERE id = $1`, id, r.at, r.run, now)
		if booked != nil && *booked == now {
			return err
		}
	}
	if err != nil {
		return err
	}
	return r.compare(ctx, g, before)
}

// content is the hash of all that the booking of the target leans on, where it was
// scanned whole: the report's content, and which of its targets are meant.
func (g *group) content(report string) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q", report) // never fails
	for _, t := range g.targets {
		_, _ = fmt.Fprintf(h, "%q", t.Ref)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// compare books what the report says of the target's findings.
func (r *recording) compare(ctx context.Context, g *group, before lastSeen) error {
	if err := r.promises(ctx); err != nil {
		return err
	}
	id := before.target
	known, err := r.known(ctx, id)
	if err != nil {
		return err
	}
	changed := false
	for _, fp := range sortedKeys(g.found) {
		old, ok := known[fp]
		step, err := r.found(ctx, id, fp, g.found[fp], old, ok)
		if err != nil {
			return err
		}
		changed = changed || step
		delete(known, fp)
	}
	decided := r.decided(g)
	for _, fp := range sortedKeys(known) {
		old := known[fp]
		switch {
		case old.standing == StandingFixed:
		case !decided(old.check):
			if err := r.unconfirmed(ctx, old, before); err != nil {
				return err
			}
		default:
			if err := r.fixed(ctx, old, before, g.ref()); err != nil {
				return err
			}
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return r.tally(ctx, id)
}

// lastSeen is when, and by which run, a target was scanned whole before this one.
type lastSeen struct {
	target int64
	at     *int64
	run    *string
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// decided tells of which checks the absence of a finding on the target means that
// it is mended: those that were run and saw everything there.
func (r *recording) decided(g *group) func(check string) bool {
	if g.problem(r.rep) != "" {
		return func(string) bool { return false }
	}
	judged := map[string]bool{}
	for i := range r.rep.Checks {
		judged[r.rep.Checks[i].ID] = true
	}
	for i := range r.rep.Gaps {
		gap := &r.rep.Gaps[i]
		if slices.ContainsFunc(g.targets, func(t *facts.Target) bool { return t.Ref == gap.Target }) {
			judged[gap.Check] = false
		}
	}
	return func(check string) bool { return judged[check] }
}

// known are the findings that the history has of a target, by fingerprint.
func (r *recording) known(ctx context.Context, target int64) (map[string]row, error) {
	out := map[string]row{}
	err := each(ctx, r.tx, func(rs rows) error {
		var f row
		var fp string
		if err := rs.Scan(&f.id, &fp, &f.check, &f.title, &f.severity, &f.kind, &f.resource, &f.message, &f.copies, &f.standing, &f.suppression, &f.lastSeen); err != nil {
			return err
		}
		out[fp] = f
		return nil
	}, `SELECT f.id, f.fingerprint, f.check_id, p.title, f.severity, f.kind, f.resource, f.message, f.copies, f.standing, f.suppression, f.last_seen
		FROM finding f JOIN promise p ON p.check_id = f.check_id WHERE f.target = $1`, target)
	return out, err
}

// found books a finding that the report has. It returns whether anything of it changed.
func (r *recording) found(ctx context.Context, target int64, fp string, now seen, old row, known bool) (bool, error) {
	standing, suppression, until, err := standingOf(now.Finding)
	if err != nil {
		return false, err
	}
	if !known {
		var id int64
		if _, err := one(ctx, r.tx, []any{&id}, `INSERT INTO finding (target, fingerprint, check_id, severity, kind, resource, key, message, copies, standing, suppression, suppressed_until, first_seen, last_run)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
			target, fp, now.Rule.ID, int(now.Severity), string(now.Resource.Kind), now.Resource.ID, now.Key, now.Message, now.copies, string(standing), suppression, until, r.at, r.run); err != nil {
			return false, err
		}
		if standing == StandingOpen {
			r.counts.New++
			r.note(ChangeNew, now.Finding)
		}
		if err := r.change(ctx, id, ChangeNew, "", now.Severity.String()); err != nil || standing == StandingOpen {
			return true, err
		}
		return true, r.change(ctx, id, ChangeSuppressed, string(StandingOpen), string(standing)) // from its first day on
	}
	same := old.lastSeen == nil && old.severity == now.Severity && old.standing == standing && old.copies == now.copies && old.message == now.Message && old.resource == now.Resource.ID && equalText(old.suppression, suppression)
	if same {
		return false, nil
	}
	reopened := 0
	if old.standing == StandingFixed {
		reopened = 1
	}
	if _, err := r.tx.exec(ctx, `UPDATE finding SET severity = $2, kind = $3, resource = $4, message = $5, copies = $6, standing = $7, suppression = $8, suppressed_until = $9,
		last_seen = NULL, last_run = $10, fixed_at = NULL, reopened = reopened + $11 WHERE id = $1`,
		old.id, int(now.Severity), string(now.Resource.Kind), now.Resource.ID, now.Message, now.copies, string(standing), suppression, until, r.run, reopened); err != nil {
		return false, err
	}
	return true, r.steps(ctx, old, now.Finding, standing)
}

// steps books what changed of a finding that was known.
func (r *recording) steps(ctx context.Context, old row, now *scanner.Finding, standing Standing) error {
	if old.severity != now.Severity {
		r.counts.Changed++
		if standing == StandingOpen {
			r.note(ChangeSeverity, now)
		}
		if err := r.change(ctx, old.id, ChangeSeverity, old.severity.String(), now.Severity.String()); err != nil {
			return err
		}
	}
	if old.standing == standing {
		return nil
	}
	kind := map[Standing]string{StandingOpen: ChangeUnsuppressed, StandingSuppressed: ChangeSuppressed}[standing]
	if old.standing == StandingFixed {
		kind = ChangeReopened
	}
	if standing == StandingOpen {
		r.counts.Reopened++
		r.note(ChangeReopened, now)
	}
	return r.change(ctx, old.id, kind, string(old.standing), string(standing))
}

func equalText(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// standingOf reads the suppression of a finding. A waiver counts until the end of
// its last day, in UTC.
func standingOf(f *scanner.Finding) (_ Standing, suppression *string, until *int64, err error) {
	if f.Suppressed == nil {
		return StandingOpen, nil, nil, nil
	}
	b, err := json.Marshal(f.Suppressed)
	if err != nil {
		return "", nil, nil, err
	}
	text := string(b)
	if day, err := time.Parse(time.DateOnly, f.Suppressed.Expiry); err == nil {
		until = micros(day.AddDate(0, 0, 1))
	}
	return StandingSuppressed, &text, until, nil
}

// unconfirmed books a finding that this run could not look for: it stays what it
// was, and was seen last before.
func (r *recording) unconfirmed(ctx context.Context, old row, before lastSeen) error {
	if old.lastSeen != nil {
		return nil
	}
	// A target that was never scanned whole has findings of a run that was broken off.
	_, err := r.tx.exec(ctx, `UPDATE finding SET last_seen = COALESCE($2, first_seen), last_run = COALESCE($3, last_run) WHERE id = $1`, old.id, before.at, before.run)
	return err
}

// fixed books a finding that is not there any more.
func (r *recording) fixed(ctx context.Context, old row, before lastSeen, target string) error {
	if err := r.unconfirmed(ctx, old, before); err != nil {
		return err
	}
	if _, err := r.tx.exec(ctx, `UPDATE finding SET standing = 'fixed', fixed_at = $2, last_seen = COALESCE(last_seen, first_seen), suppression = NULL, suppressed_until = NULL WHERE id = $1`, old.id, r.at); err != nil {
		return err
	}
	if old.standing == StandingOpen {
		r.counts.Fixed++
		r.notes = append(r.notes, note{kind: ChangeFixed, severity: old.severity, check: old.check, title: old.title, target: target, resource: old.resource, message: old.message})
	}
	return r.change(ctx, old.id, ChangeFixed, string(old.standing), string(StandingFixed))
}

func (r *recording) note(kind string, f *scanner.Finding) {
	r.notes = append(r.notes, note{kind: kind, severity: f.Severity, check: f.Rule.ID, title: f.Rule.Title, target: f.Target, resource: f.Resource.ID, message: f.Message})
}

func (r *recording) change(ctx context.Context, finding int64, kind, from, to string) error {
	_, err := r.tx.exec(ctx, `INSERT INTO change (finding, run, at, kind, from_value, to_value) VALUES ($1, $2, $3, $4, $5, $6)`, finding, r.run, r.at, kind, from, to)
	return err
}

// tally keeps the open findings of a target that changed, for the trend.
func (r *recording) tally(ctx context.Context, target int64) error {
	for s := scanner.SeverityUnknown; s <= scanner.SeverityCritical; s++ {
		if _, err := r.tx.exec(ctx, `INSERT INTO tally (target, at, severity, n) SELECT $1, $2, $3, COALESCE(SUM(copies), 0) FROM finding WHERE target = $1 AND standing = 'open' AND severity = $3
			ON CONFLICT (target, at, severity) DO UPDATE SET n = excluded.n`, target, r.at, int(s)); err != nil {
			return err
		}
	}
	return nil
}

// otherTargets marks the targets of the audit that the report does not name: they
// are gone. A run that was broken off may not have come to them: they are stale.
func (r *recording) otherTargets(ctx context.Context, groups []*group) error {
	args := []any{r.audit, r.at}
	for _, g := range groups {
		args = append(args, g.identity)
	}
	others := ` WHERE audit = $1 AND gone_at IS NULL`
	if len(groups) > 0 {
		others += ` AND identity NOT IN (` + numbered(3, len(groups)) + `)`
	}
	if r.rep.Run.Complete {
		_, err := r.tx.exec(ctx, `UPDATE target SET gone_at = $2`+others, args...)
		return err
	}
	if len(groups) > 0 {
		// What stood in for them is not needed any more.
		if _, err := r.tx.exec(ctx, `UPDATE target SET gone_at = $2 WHERE audit = $1 AND gone_at IS NULL AND identity = ''`, r.audit, r.at); err != nil {
			return err
		}
	}
	reason := cmp.Or(r.rep.Run.Error, "the scan was broken off")
	n, err := r.tx.exec(ctx, fmt.Sprintf(`UPDATE target SET stale_at = COALESCE(stale_at, $2), stale_reason = $%d`, len(args)+1)+others, append(args, reason)...)
	if err != nil {
		return err
	}
	r.counts.Stale += int(n)
	if int(n)+len(groups) > 0 {
		return nil
	}
	r.counts.Stale = 1
	return standIn(ctx, r.tx, r.audit, r.at, reason)
}
