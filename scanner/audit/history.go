package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
)

// Filter chooses findings. Empty fields choose all.
type Filter struct {
	Audit     string
	Target    int64
	Check     string // an id
	Standing  Standing
	Severity  []scanner.Severity
	Text      string // stands in the resource, the message or the check's id
	Framework string // findings of checks that refer to it
	Control   string // of the framework
	// Gone also chooses findings of targets that are not looked at any more.
	Gone bool
	// After is the last finding of the page before, in the order of the list; nil for the first page.
	After *Cursor
	// Limit is the length of a page; 100 where 0, 1000 at most.
	Limit int
}

// Cursor is a place in a list of findings.
type Cursor struct {
	Severity scanner.Severity `json:"severity"`
	ID       int64            `json:"id"`
}

const (
	pageSize    = 100
	maxPageSize = 1000
)

const findingColumns = `f.id, f.fingerprint, f.check_id, p.title, f.severity, f.kind, f.resource, f.key, f.message, f.copies, f.standing, f.suppression,
	f.first_seen, f.last_seen, f.fixed_at, f.reopened, t.id, t.audit, t.identity, t.kind, t.ref, t.seen_at, t.stale_at, t.stale_reason, t.gone_at`

const findingTables = ` FROM finding f JOIN target t ON t.id = f.target JOIN promise p ON p.check_id = f.check_id `

// evidenceRun is the run whose report has the evidence of a finding.
const evidenceRun = `CASE WHEN f.last_seen IS NULL THEN COALESCE(t.seen_run, f.last_run) ELSE f.last_run END`

// findingsInOrder is the same, read in the order of the list until the page is full:
// SQLite keeps the order of a CROSS JOIN, and would else begin with the smaller
// tables and sort every finding there is.
const findingsInOrder = ` FROM finding f CROSS JOIN target t CROSS JOIN promise p WHERE t.id = f.target AND p.check_id = f.check_id `

// findingsOfTargets gathers the findings of chosen targets.
const findingsOfTargets = ` FROM target t CROSS JOIN finding f CROSS JOIN promise p WHERE t.id = f.target AND p.check_id = f.check_id `

// findingsOfList gathers the findings whose ids a parameter holds, as a JSON array.
const findingsOfList = ` FROM (%s($%d)) x CROSS JOIN finding f CROSS JOIN target t CROSS JOIN promise p WHERE f.id = x.id AND t.id = f.target AND p.check_id = f.check_id `

const (
	// fewTargets are so few that an audit's findings are better gathered and sorted than
	// looked for among all others.
	fewTargets = 50
	// fewFindings are so few that those with a text are better gathered and sorted. A
	// text that more of them have fills a page soon.
	fewFindings = 5000
)

// withText returns the ids of the findings that may have the text, as a JSON array;
// empty where there are many. SQLite knows which have all trigrams of it.
func (s *Store) withText(ctx context.Context, q querier, text string) (string, error) {
	where, args := textCondition(s.db.words()["like"], text)
	ask := `SELECT f.id FROM finding f WHERE ` + where
	if _, ok := s.db.(*sqlite); ok {
		if ask, args = `SELECT rowid FROM finding_text WHERE finding_text MATCH $1`, []any{trigrams(text)}; args[0] == "" {
			return "", nil // shorter than a trigram
		}
	}
	ids := []int64{}
	err := each(ctx, q, func(r rows) error {
		ids = append(ids, 0)
		return r.Scan(&ids[len(ids)-1])
	}, ask+fmt.Sprintf(` LIMIT %d`, fewFindings+1), args...)
	if err != nil || len(ids) > fewFindings {
		return "", err
	}
	list, err := json.Marshal(ids)
	return string(list), err
}

// textCondition is what a finding with the text is, with its parameter.
func textCondition(like, text string) (string, []any) {
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	return strings.ReplaceAll(`(f.resource LIKE $1 ESCAPE '\' OR f.message LIKE $1 ESCAPE '\' OR f.check_id LIKE $1 ESCAPE '\')`, "LIKE", like), []any{pattern}
}

// hasFewTargets says whether an audit has few.
func hasFewTargets(ctx context.Context, q querier, audit string) (bool, error) {
	n := 0
	_, err := one(ctx, q, []any{&n}, `SELECT COUNT(*) FROM target WHERE audit = $1`, audit)
	return n <= fewTargets, err
}

// maxTrigrams bounds what of a text is looked up; all of it is compared.
const maxTrigrams = 24

// trigrams asks SQLite's index for every three characters of a text; empty where
// there are fewer.
func trigrams(text string) string {
	runes := []rune(text)
	var parts []string
	for i := 0; i+3 <= len(runes) && i < maxTrigrams; i++ {
		if part := `"` + strings.ReplaceAll(string(runes[i:i+3]), `"`, `""`) + `"`; !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " AND ")
}

func scanFinding(r rows) (Finding, error) {
	var f Finding
	var suppression *string
	var first int64
	var last, fixed, seen, stale, gone *int64
	t := &f.Target
	if err := r.Scan(&f.ID, &f.Fingerprint, &f.Check, &f.Title, &f.Severity, &f.Kind, &f.Resource, &f.Key, &f.Message, &f.Copies, &f.Standing, &suppression,
		&first, &last, &fixed, &f.Reopened, &t.ID, &t.Audit, &t.Identity, &t.Kind, &t.Ref, &seen, &stale, &t.Reason, &gone); err != nil {
		return f, err
	}
	t.Seen, t.Stale, t.Gone = moment(seen), moment(stale), moment(gone)
	f.FirstSeen, f.LastSeen, f.FixedAt = moment(&first), moment(last), moment(fixed)
	if last == nil {
		f.LastSeen = t.Seen // by the target's last scan
		if f.LastSeen.Before(f.FirstSeen) {
			f.LastSeen = f.FirstSeen
		}
	}
	if f.Standing != StandingFixed && (last != nil || !t.Stale.IsZero()) {
		f.Unconfirmed = f.LastSeen
	}
	if suppression == nil {
		return f, nil
	}
	f.Suppression = &scanner.Suppression{}
	return f, json.Unmarshal([]byte(*suppression), f.Suppression)
}

// conditions builds the WHERE clause of a filter.
func (f *Filter) conditions(like string) (string, []any) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if f.Audit != "" {
		add("t.audit = ?", f.Audit)
	}
	if f.Target != 0 {
		add("f.target = ?", f.Target)
	}
	if f.Check != "" {
		add("f.check_id = ?", f.Check)
	}
	if f.Standing != "" {
		add("f.standing = ?", string(f.Standing))
	}
	if len(f.Severity) > 0 {
		marks := make([]string, len(f.Severity))
		values := make([]any, len(f.Severity))
		for i, s := range f.Severity {
			marks[i], values[i] = "?", int(s)
		}
		add("f.severity IN ("+strings.Join(marks, ", ")+")", values...)
	}
	if f.Text != "" {
		condition, pattern := textCondition(like, f.Text)
		args = append(args, pattern...)
		where = append(where, strings.ReplaceAll(condition, "$1", fmt.Sprintf("$%d", len(args))))
	}
	if f.Framework != "" {
		// The rule is JSON that we wrote: a reference is {"framework":"…","control":"…"}.
		reference := `"framework":"` + f.Framework + `","control":"` + f.Control
		if f.Control != "" {
			reference += `"`
		}
		add(`p.detail LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(reference)+"%")
	}
	if !f.Gone {
		add("t.gone_at IS NULL")
	}
	if f.After != nil {
		add("(f.severity < ? OR f.severity = ? AND f.id > ?)", int(f.After.Severity), int(f.After.Severity), f.After.ID)
	}
	if len(where) == 0 {
		return "", nil
	}
	return strings.Join(where, " AND "), args
}

// Findings returns a page of findings, the worst first, and the cursor of the next
// page, nil where this is the last.
func (s *Store) Findings(ctx context.Context, f Filter) ([]Finding, *Cursor, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = pageSize
	}
	limit = min(limit, maxPageSize)
	where, args := f.conditions(s.db.words()["like"])
	out := []Finding{}
	err := s.db.read(ctx, func(q querier) error {
		tables, order := findingsInOrder, "f.severity"
		few := f.Target != 0
		if f.Text != "" && !few {
			ids, err := s.withText(ctx, q, f.Text)
			if err != nil {
				return err
			}
			if ids != "" {
				args = append(args, ids)
				tables, order = fmt.Sprintf(findingsOfList, s.db.words()["ids"], len(args)), "f.severity + 0"
			}
		}
		if f.Audit != "" && !few && tables == findingsInOrder {
			var err error
			if few, err = hasFewTargets(ctx, q, f.Audit); err != nil {
				return err
			}
		}
		if few {
			tables, order = findingsOfTargets, "f.severity + 0" // sorted, not read by the index of the severity
		}
		if where != "" {
			tables += ` AND ` + where
		}
		return each(ctx, q, func(r rows) error {
			found, err := scanFinding(r)
			out = append(out, found)
			return err
		}, `SELECT `+findingColumns+tables+fmt.Sprintf(` ORDER BY %s DESC, f.id LIMIT %d`, order, limit+1), args...)
	})
	if err != nil || len(out) <= limit {
		return out, nil, err
	}
	out = out[:limit]
	last := &out[limit-1]
	return out, &Cursor{last.Severity, last.ID}, nil
}

// History is a finding with everything that is known of it.
type History struct {
	Finding
	Rule    scanner.Rule `json:"rule"`
	Changes []Change     `json:"changes"` // the oldest first
	// Run is the run whose report holds the evidence.
	Run string `json:"run"`
	// Evidence is what that report says of it; empty where it was pruned.
	Evidence []scanner.FindingDocument `json:"evidence"`
	// Why says why the last scan could not look for it; empty where it could.
	Why string `json:"unconfirmed_reason"`
}

// Finding returns one finding with its history; nil where there is none of that id.
func (s *Store) Finding(ctx context.Context, id int64) (*History, error) {
	var h *History
	err := s.db.read(ctx, func(q querier) error {
		err := each(ctx, q, func(r rows) error {
			f, err := scanFinding(r)
			h = &History{Finding: f, Changes: []Change{}, Evidence: []scanner.FindingDocument{}}
			return err
		}, `SELECT `+findingColumns+findingTables+` WHERE f.id = $1`, id)
		if err != nil || h == nil {
			return err
		}
		var detail string
		if _, err := one(ctx, q, []any{&detail, &h.Run}, `SELECT p.detail, `+evidenceRun+findingTables+` WHERE f.id = $1`, id); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(detail), &h.Rule); err != nil {
			return err
		}
		return each(ctx, q, func(r rows) error {
			var c Change
			var run *string
			var at int64
			if err := r.Scan(&c.Finding, &run, &at, &c.Kind, &c.From, &c.To); err != nil {
				return err
			}
			c.At = moment(&at)
			if run != nil {
				c.Run = *run
			}
			h.Changes = append(h.Changes, c)
			return nil
		}, `SELECT finding, run, at, kind, from_value, to_value FROM change WHERE finding = $1 ORDER BY id`, id)
	})
	if err != nil || h == nil {
		return nil, err
	}
	if !h.Unconfirmed.IsZero() {
		why, err := s.Unconfirmed(ctx, h.Target.ID)
		if err != nil {
			return nil, err
		}
		h.Why = why(h.Check)
	}
	rep, err := s.Report(ctx, h.Run)
	if err != nil {
		return h, nil //nolint:nilerr // a pruned report leaves a finding without evidence
	}
	for i := range rep.Findings {
		if f := &rep.Findings[i]; f.Fingerprint == h.Fingerprint {
			h.Evidence = append(h.Evidence, f.Document())
		}
	}
	return h, nil
}

// Unconfirmed tells, of a check, why the last scan of the target could not look for
// its findings: the target could not be scanned, the check did not see what it needs,
// or it was not run.
func (s *Store) Unconfirmed(ctx context.Context, target int64) (func(check string) string, error) {
	var identity, stale string
	var run *string
	err := s.db.read(ctx, func(q querier) error {
		_, err := one(ctx, q, []any{&identity, &stale, &run}, `SELECT identity, stale_reason, seen_run FROM target WHERE id = $1`, target)
		return err
	})
	if err != nil || stale != "" || run == nil {
		return func(string) string { return stale }, err
	}
	rep, err := s.Report(ctx, *run)
	if err != nil {
		return func(string) string { return "" }, nil //nolint:nilerr // a pruned report does not say
	}
	refs := map[string]bool{}
	for i := range rep.Run.Targets {
		if t := &rep.Run.Targets[i]; cmp.Or(t.Identity, t.Ref) == identity {
			refs[t.Ref] = true
		}
	}
	return func(check string) string {
		if !slices.ContainsFunc(rep.Checks, func(c scanner.CheckCount) bool { return c.ID == check }) {
			return "the last scan did not run the check"
		}
		var reasons []string
		for i := range rep.Gaps {
			if g := &rep.Gaps[i]; g.Check == check && refs[g.Target] {
				for _, reason := range g.Reasons {
					if reason = strings.ReplaceAll(string(g.Status), "_", " ") + ": " + reason; !slices.Contains(reasons, reason) {
						reasons = append(reasons, reason)
					}
				}
			}
		}
		return strings.Join(reasons, "; ")
	}, nil
}

// Targets returns the targets of an audit, or of all where name is empty: the stale
// ones first, then by name.
func (s *Store) Targets(ctx context.Context, name string) ([]Target, error) {
	out := []Target{}
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var t Target
			var seen, stale *int64
			if err := r.Scan(&t.ID, &t.Audit, &t.Identity, &t.Kind, &t.Ref, &seen, &stale, &t.Reason); err != nil {
				return err
			}
			t.Seen, t.Stale = moment(seen), moment(stale)
			out = append(out, t)
			return nil
		}, `SELECT id, audit, identity, kind, ref, seen_at, stale_at, stale_reason FROM target WHERE gone_at IS NULL AND ($1 = '' OR audit = $1)
			ORDER BY CASE WHEN stale_at IS NULL THEN 1 ELSE 0 END, audit, ref`, name)
	})
	return out, err
}

// Difference is what changed between two moments.
type Difference struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// New were not there before, Fixed are not there any more, Reopened were fixed
	// or suppressed before, Changed have another severity.
	New      []Finding `json:"new"`
	Fixed    []Finding `json:"fixed"`
	Reopened []Finding `json:"reopened"`
	Changed  []Finding `json:"changed"`
	// More says that a list was cut at its limit.
	More bool `json:"more"`
}

// maxDifference bounds each list of a difference.
const maxDifference = 10_000

// Diff tells what changed of an audit, or of all where name is empty, after one
// moment and up to another, by the state of each finding at both. The latest
// changes come first.
func (s *Store) Diff(ctx context.Context, name string, from, to time.Time) (*Difference, error) {
	return s.diff(ctx, name, from, to, 0)
}

// Latest is as [Store.Diff], and looks at the latest changes alone, at most limit:
// for where an answer is wanted at once. More says that there were others.
func (s *Store) Latest(ctx context.Context, name string, from, to time.Time, limit int) (*Difference, error) {
	return s.diff(ctx, name, from, to, limit)
}

// diff looks at the latest changes alone where limit is not 0.
func (s *Store) diff(ctx context.Context, name string, from, to time.Time, limit int) (*Difference, error) {
	d := &Difference{From: from, To: to}
	err := s.db.read(ctx, func(q querier) error {
		steps := &stepReader{q: q, ids: s.db.words()["ids"], audit: name, from: from.UnixMicro(), to: to.UnixMicro()}
		if limit > 0 {
			at := int64(0)
			if _, err := one(ctx, q, []any{&steps.first, &at}, `SELECT id, at FROM change ORDER BY id DESC LIMIT 1 OFFSET $1`, limit); err != nil {
				return err
			}
			steps.latest, d.More = true, at > steps.from
		}
		for _, part := range []struct {
			list      *[]Finding
			kinds     []string
			condition string
		}{
			{&d.New, []string{ChangeNew}, `COALESCE(` + stepInSpan(`l.to_value`, `l.id > c.id`, `DESC`) + `, 'open') = 'open'`},
			{&d.Fixed, []string{ChangeFixed}, `f.first_seen <= $1 AND ` + lastInSpan + ` AND ` + standingBefore + ` = 'open'`},
			{&d.Reopened, []string{ChangeReopened, ChangeUnsuppressed}, `c.to_value = 'open' AND f.first_seen <= $1 AND ` + lastInSpan + ` AND ` + standingBefore + ` <> 'open'`},
			{&d.Changed, []string{ChangeSeverity}, `f.first_seen <= $1 AND NOT EXISTS (SELECT 1 FROM change l WHERE l.finding = f.id AND l.id > c.id AND l.at > $1 AND l.at <= $2 AND l.kind || '' = 'severity')`},
		} {
			*part.list = []Finding{}
			for _, kind := range part.kinds {
				if err := steps.read(ctx, part.list, kind, part.condition); err != nil {
					return err
				}
			}
			if len(*part.list) > maxDifference {
				*part.list, d.More = (*part.list)[:maxDifference], true
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what changed: %w", err)
	}
	return d, nil
}

// stepReader reads changes, the latest first, in pieces that grow: a list that is full
// costs what it holds, however many changes there are.
type stepReader struct {
	q      querier
	ids    string // how the database lists ids
	audit  string // all where it is empty
	from   int64
	to     int64
	latest bool // only changes from the id first on
	first  int64
}

const (
	firstPiece = 2_000
	lastPiece  = 32_000
)

// read appends the findings of the changes of a kind for which the condition holds,
// until there are more than a difference lists.
func (r *stepReader) read(ctx context.Context, list *[]Finding, kind, condition string) error {
	at, id := r.to+1, int64(0) // behind the last one
	for size := firstPiece; len(*list) <= maxDifference; size = min(2*size, lastPiece) {
		ask, args := `c.kind = $1 AND c.at > $2 AND (c.at, c.id) < ($3, $4)`, []any{kind, r.from, at, id}
		if r.latest { // read by the id, not by the index of the kind
			ask, args = `c.kind || '' = $1 AND c.at + 0 > $2 AND (c.at + 0, c.id + 0) < ($3, $4) AND c.id >= $5`, append(args, r.first)
		}
		piece := []int64{}
		err := each(ctx, r.q, func(rs rows) error {
			err := rs.Scan(&id, &at)
			piece = append(piece, id)
			return err
		}, `SELECT c.id, c.at FROM change c WHERE `+ask+fmt.Sprintf(` ORDER BY c.at DESC, c.id DESC LIMIT %d`, size), args...)
		if err != nil || len(piece) == 0 {
			return err
		}
		ids, err := json.Marshal(piece)
		if err != nil {
			return err
		}
		err = each(ctx, r.q, func(rs rows) error {
			f, err := scanFinding(rs)
			*list = append(*list, f)
			return err
		}, `SELECT `+findingColumns+` FROM (`+r.ids+`($4)) x CROSS JOIN change c CROSS JOIN finding f CROSS JOIN target t CROSS JOIN promise p
			WHERE c.id = x.id AND f.id = c.finding AND t.id = f.target AND p.check_id = f.check_id AND ($3 = '' OR t.audit = $3) AND `+condition+`
			ORDER BY c.at DESC, c.id DESC`, r.from, r.to, r.audit, string(ids))
		if err != nil || len(piece) < size {
			return err
		}
	}
	return nil
}

// stepInSpan asks for the first or last other change of the finding of c within the
// span from $1 to $2. A change of severity is no step from one standing to another.
func stepInSpan(what, which, order string) string {
	return `(SELECT ` + what + ` FROM change l WHERE l.finding = f.id AND ` + which + ` AND l.at > $1 AND l.at <= $2 AND l.kind <> 'severity' ORDER BY l.id ` + order + ` LIMIT 1)`
}

var (
	// lastInSpan holds where c is the last step of its finding.
	lastInSpan = stepInSpan(`1`, `l.id > c.id`, ``) + ` IS NULL`
	// standingBefore is where a finding that was there at the beginning stood then.
	standingBefore = `COALESCE(` + stepInSpan(`l.from_value`, `l.id < c.id`, ``) + `, c.from_value)`
)

// Overview is the state of all audits at a glance.
type Overview struct {
	Open       map[string]int     `json:"open"` // findings that count, by severity
	Suppressed int                `json:"suppressed"`
	Stale      []Target           `json:"stale"`
	Audits     []Summary          `json:"audits"`
	TimeToFix  map[string]float64 `json:"time_to_fix"` // mean, in hours, by severity; of findings that were fixed
}

// Summary is one audit with its last run.
type Summary struct {
	Name    string         `json:"name"`
	Kind    string         `json:"kind"`
	NextRun time.Time      `json:"next_run,omitzero"` // zero without a schedule
	Removed bool           `json:"removed"`           // it is no longer configured
	Last    *Run           `json:"last"`              // that ended; nil where none has
	Open    map[string]int `json:"open"`
}

// Overview returns it.
func (s *Store) Overview(ctx context.Context) (*Overview, error) {
	o := &Overview{Open: map[string]int{}, Stale: []Target{}, Audits: []Summary{}, TimeToFix: map[string]float64{}}
	targets, err := s.Targets(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if !t.Stale.IsZero() {
			o.Stale = append(o.Stale, t)
		}
	}
	err = s.db.read(ctx, func(q querier) error {
		byAudit := map[string]map[string]int{}
		// The last tally of each target is its state: counting findings would take a second for a million of them.
		err := each(ctx, q, func(r rows) error {
			var audit string
			var severity scanner.Severity
			var n int
			if err := r.Scan(&audit, &severity, &n); err != nil {
				return err
			}
			if byAudit[audit] == nil {
				byAudit[audit] = map[string]int{}
			}
			byAudit[audit][severity.String()] += n
			o.Open[severity.String()] += n
			return nil
		}, `SELECT t.audit, y.severity, SUM(y.n) FROM target t JOIN tally y ON y.target = t.id AND y.at = (SELECT MAX(at) FROM tally WHERE target = t.id)
			WHERE t.gone_at IS NULL GROUP BY t.audit, y.severity`)
		if err != nil {
			return err
		}
		err = each(ctx, q, func(r rows) error {
			var text string
			var next, removed *int64
			a := Summary{}
			if err := r.Scan(&a.Name, &text, &next, &removed); err != nil {
				return err
			}
			var def Audit
			if err := json.Unmarshal([]byte(text), &def); err != nil {
				return err
			}
			a.Kind, a.NextRun, a.Removed, a.Open = def.Target.Kind(), moment(next), removed != nil, byAudit[a.Name]
			o.Audits = append(o.Audits, a)
			return nil
		}, `SELECT name, definition, next_run, removed_at FROM audit ORDER BY name`)
		if err != nil {
			return err
		}
		for i := range o.Audits {
			a := &o.Audits[i]
			if a.Open == nil {
				a.Open = map[string]int{}
			}
			err := each(ctx, q, func(r rows) error {
				run, err := scanRun(r)
				a.Last = &run
				return err
			}, `SELECT `+runColumns+` FROM run WHERE audit = $1 AND state IN ('done', 'failed') ORDER BY finished_at DESC LIMIT 1`, a.Name)
			if err != nil {
				return err
			}
		}
		if _, err := one(ctx, q, []any{&o.Suppressed}, `SELECT COUNT(*) FROM finding WHERE standing = 'suppressed'`); err != nil {
			return err
		}
		return each(ctx, q, func(r rows) error {
			var severity scanner.Severity
			var mean float64
			if err := r.Scan(&severity, &mean); err != nil {
				return err
			}
			o.TimeToFix[severity.String()] = mean / float64(time.Hour/time.Microsecond)
			return nil
		}, `SELECT severity, CAST(AVG(fixed_at - first_seen) AS DOUBLE PRECISION) FROM finding WHERE fixed_at IS NOT NULL GROUP BY severity`)
	})
	return o, err
}

// Point is the number of open findings at a moment, by severity.
type Point struct {
	At   time.Time      `json:"at"`
	Open map[string]int `json:"open"`
}

// Trend returns the open findings of an audit, or of all where name is empty, after
// every run that changed them, the oldest first; what was before since is the first point.
func (s *Store) Trend(ctx context.Context, name string, since time.Time) ([]Point, error) {
	var out []Point
	err := s.db.read(ctx, func(q querier) error {
		type state = map[string]int
		targets := map[int64]state{}
		var at int64
		point := func() {
			sum := state{}
			for _, t := range targets {
				for severity, n := range t {
					sum[severity] += n
				}
			}
			if t := moment(&at); t.Before(since) && len(out) > 0 {
				out[0] = Point{since, sum}
			} else if t.Before(since) {
				out = append(out, Point{since, sum})
			} else {
				out = append(out, Point{t, sum})
			}
		}
		err := each(ctx, q, func(r rows) error {
			var target, when int64
			var severity scanner.Severity
			var n int
			if err := r.Scan(&target, &when, &severity, &n); err != nil {
				return err
			}
			if when != at && at != 0 {
				point()
			}
			at = when
			if targets[target] == nil {
				targets[target] = state{}
			}
			targets[target][severity.String()] = n
			return nil
		}, `SELECT y.target, y.at, y.severity, y.n FROM tally y JOIN target t ON t.id = y.target WHERE t.gone_at IS NULL AND ($1 = '' OR t.audit = $1) ORDER BY y.at, y.target`, name)
		if err == nil && at != 0 {
			point()
		}
		return err
	})
	return out, err
}

// Promise is a check with the findings of it that count.
type Promise struct {
	Rule scanner.Rule `json:"rule"`
	Open int          `json:"open"`
}

// Promises returns every check that any run judged, by id.
func (s *Store) Promises(ctx context.Context) ([]Promise, error) {
	out := []Promise{}
	err := s.db.read(ctx, func(q querier) error {
		// Written so, the standing does not choose the index: one that has all that is asked for does.
		return each(ctx, q, func(r rows) error {
			var p Promise
			var detail string
			if err := r.Scan(&detail, &p.Open); err != nil {
				return err
			}
			err := json.Unmarshal([]byte(detail), &p.Rule)
			out = append(out, p)
			return err
		}, `SELECT p.detail, COALESCE(f.n, 0) FROM promise p LEFT JOIN (SELECT check_id, SUM(copies) AS n FROM finding
			WHERE standing || '' = 'open' AND target NOT IN (SELECT id FROM target WHERE gone_at IS NOT NULL) GROUP BY check_id) f ON f.check_id = p.check_id ORDER BY p.check_id`)
	})
	return out, err
}

// AuditNames returns the names of all audits, those of the past too.
func (s *Store) AuditNames(ctx context.Context) ([]string, error) {
	out := []string{}
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var name string
			err := r.Scan(&name)
			out = append(out, name)
			return err
		}, `SELECT name FROM audit ORDER BY name`)
	})
	return out, err
}
