package audit

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// exportFormat names the format of an export in its first line.
const exportFormat = "postscan.audit/v1"

// table is one table of the history with its columns: text, numbers and bytes, in
// this order. Those that refer to others come after them.
type table struct {
	name                 string
	text, numbers, bytes []string
	order                string
	serial               bool // its id is given by the database
}

// historyTables are what an export holds: everything but tokens, the key of sessions,
// and the queue. Notifications are in it: what was sent is not sent again, and what
// was not is sent by whoever works the queue of the database that it was moved to.
func historyTables() []table {
	return []table{
		{name: "audit", text: []string{"name", "definition"}, numbers: []string{"next_run", "removed_at", "configured_at"}, order: "name"},
		{name: "book", text: []string{"audit"}, numbers: []string{"at"}, order: "audit"},
		{name: "document", text: []string{"hash"}, bytes: []string{"data"}, order: "hash"},
		{name: "run", text: []string{"id", "audit", "state", "cause", "reason", "worker", "counts", "body"},
			numbers: []string{"attempt", "scheduled_at", "queued_at", "started_at", "heartbeat_at", "finished_at", "complete"}, bytes: []string{"head"}, order: "id"},
		{name: "target", text: []string{"audit", "identity", "kind", "ref", "seen_run", "stale_reason"}, numbers: []string{"id", "seen_at", "stale_at", "gone_at"}, order: "id", serial: true},
		{name: "promise", text: []string{"check_id", "title", "detail"}, order: "check_id"},
		{name: "finding", text: []string{"fingerprint", "check_id", "kind", "resource", "key", "message", "standing", "suppression", "last_run"},
			numbers: []string{"id", "target", "severity", "copies", "suppressed_until", "first_seen", "last_seen", "fixed_at", "reopened"}, order: "id", serial: true},
		{name: "change", text: []string{"run", "kind", "from_value", "to_value"}, numbers: []string{"id", "finding", "at"}, order: "id", serial: true},
		{name: "tally", numbers: []string{"target", "at", "severity", "n"}, order: "target, at, severity"},
		{name: "notification", text: []string{"key", "audit", "run", "channel", "body", "worker", "last_error"},
			numbers: []string{"queued_at", "sending_at", "sent_at", "attempts", "unanswered"}, order: "key"},
	}
}

func (t *table) columns() []string {
	return append(append(append([]string{}, t.text...), t.numbers...), t.bytes...)
}

// exportLine is a line of an export: the first names the format, the last says how
// many rows there were, each between is one row.
type exportLine struct {
	Format  string            `json:"format,omitempty"`
	Table   string            `json:"table,omitempty"`
	Text    map[string]string `json:"text,omitempty"` // columns that are not NULL
	Numbers map[string]int64  `json:"numbers,omitempty"`
	Bytes   map[string][]byte `json:"bytes,omitempty"` // base64
	Rows    *int              `json:"rows,omitempty"`
}

// Export writes the whole history as JSON lines, as it is at one moment.
func (s *Store) Export(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(exportLine{Format: exportFormat}); err != nil {
		return err
	}
	n := 0
	err := s.db.read(ctx, func(q querier) error {
		for _, t := range historyTables() {
			err := each(ctx, q, func(r rows) error {
				line, err := t.line(r)
				if err != nil {
					return err
				}
				n++
				return enc.Encode(line)
			}, `SELECT `+strings.Join(t.columns(), ", ")+` FROM `+t.name+` ORDER BY `+t.order)
			if err != nil {
				return fmt.Errorf("export the table %s: %w", t.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := enc.Encode(exportLine{Rows: &n}); err != nil {
		return err
	}
	return out.Flush()
}

// line reads a row.
func (t *table) line(r rows) (*exportLine, error) {
	text, numbers, bytes := make([]*string, len(t.text)), make([]*int64, len(t.numbers)), make([][]byte, len(t.bytes))
	var dest []any
	for i := range text {
		dest = append(dest, &text[i])
	}
	for i := range numbers {
		dest = append(dest, &numbers[i])
	}
	for i := range bytes {
		dest = append(dest, &bytes[i])
	}
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	line := &exportLine{Table: t.name, Text: map[string]string{}, Numbers: map[string]int64{}, Bytes: map[string][]byte{}}
	for i, c := range t.text {
		if text[i] != nil {
			line.Text[c] = *text[i]
		}
	}
	for i, c := range t.numbers {
		if numbers[i] != nil {
			line.Numbers[c] = *numbers[i]
		}
	}
	for i, c := range t.bytes {
		if bytes[i] != nil {
			line.Bytes[c] = bytes[i]
		}
	}
	return line, nil
}

// ErrNotEmpty says that a history is there already.
var ErrNotEmpty = errors.New("the database holds a history already; import into an empty one")

// Import reads an export into an empty database: all of it, or nothing. A run that
// was under way is failed, for its worker is elsewhere. So is whoever sent a
// notification. It returns the number of rows.
func (s *Store) Import(ctx context.Context, r io.Reader) (int, error) {
	n := 0
	err := s.db.write(ctx, func(t tx) (err error) {
		for _, table := range historyTables() {
			var there int
			if _, err := one(ctx, t, []any{&there}, `SELECT COUNT(*) FROM (SELECT 1 FROM `+table.name+` LIMIT 1) AS first_row`); err != nil {
				return err
			}
			if there > 0 {
				return ErrNotEmpty
			}
		}
		if n, err = s.importLines(ctx, t, json.NewDecoder(bufio.NewReader(r))); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE run SET state = 'failed', finished_at = $1, reason = 'the history was moved while it went on' WHERE state IN ('queued', 'running')`, s.now()); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE notification SET sending_at = NULL, worker = '', unanswered = unanswered + 1 WHERE sent_at IS NULL AND sending_at IS NOT NULL`); err != nil {
			return err
		}
		if s.db.words()["lock"] == "" {
			return nil // SQLite goes on after the highest id by itself
		}
		for _, table := range historyTables() {
			if table.serial {
				if err := each(ctx, t, func(rows) error { return nil }, `SELECT setval(pg_get_serial_sequence('`+table.name+`', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM `+table.name+`), false)`); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

func (s *Store) importLines(ctx context.Context, t tx, dec *json.Decoder) (int, error) {
	dec.DisallowUnknownFields()
	var first exportLine
	if err := dec.Decode(&first); err != nil || first.Format != exportFormat {
		return 0, fmt.Errorf("this is no export of a history in the format %s", exportFormat)
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDocument))
	if err != nil {
		return 0, err
	}
	defer unpack.Close()
	tables := map[string]*table{}
	for _, x := range historyTables() {
		tables[x.name] = &x
	}
	for n := 0; ; n++ {
		var line exportLine
		if err := dec.Decode(&line); err != nil {
			return n, fmt.Errorf("line %d of the export: %w", n+2, err)
		}
		if line.Rows != nil {
			if *line.Rows != n {
				return n, fmt.Errorf("the export has %d rows and says that it had %d", n, *line.Rows)
			}
			if dec.More() {
				return n, errors.New("the export goes on after its end")
			}
			return n, nil
		}
		table := tables[line.Table]
		if table == nil {
			return n, fmt.Errorf("line %d of the export: a history has no table %q", n+2, line.Table)
		}
		if line.Table == "document" {
			if err := sound(unpack, &line); err != nil {
				return n, fmt.Errorf("line %d of the export: %w", n+2, err)
			}
		}
		if err := table.insert(ctx, t, &line); err != nil {
			return n, fmt.Errorf("line %d of the export: %w", n+2, err)
		}
	}
}

// sound holds a report to its hash.
func sound(dec *zstd.Decoder, line *exportLine) error {
	body, err := dec.DecodeAll(line.Bytes["data"], nil)
	if err != nil {
		return fmt.Errorf("unpack the report %s: %w", line.Text["hash"], err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != line.Text["hash"] {
		return fmt.Errorf("the report %s is not what its hash says", line.Text["hash"])
	}
	return nil
}

// insert writes a row; what the line does not have is NULL.
func (t *table) insert(ctx context.Context, x tx, line *exportLine) error {
	columns := t.columns()
	args := make([]any, 0, len(columns))
	for _, c := range t.text {
		args = append(args, present(line.Text, c))
	}
	for _, c := range t.numbers {
		args = append(args, present(line.Numbers, c))
	}
	for _, c := range t.bytes {
		args = append(args, line.Bytes[c]) // nil is NULL
	}
	_, err := x.exec(ctx, `INSERT INTO `+t.name+` (`+strings.Join(columns, ", ")+`) VALUES (`+numbered(1, len(columns))+`)`, args...)
	return err
}

// present points to a value of the map; nil where it has none.
func present[V any](m map[string]V, key string) *V {
	v, ok := m[key]
	if !ok {
		return nil
	}
	return &v
}
