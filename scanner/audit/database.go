package audit

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// errNewer says that the database belongs to a newer postscan.
var errNewer = errors.New("the database was written by a newer version of postscan; use that version, or another database")

// database is one of the two that a [Store] stands on. Statements have numbered
// parameters, $1.
type database interface {
	// write runs fn in one transaction, again where the database asks for it.
	write(ctx context.Context, fn func(tx) error) error
	// read runs fn on one consistent view.
	read(ctx context.Context, fn func(querier) error) error
	// words are what stands for {{name}} in the schema and in statements.
	words() map[string]string
	// work starts a client of the queue that works it, and returns how to stop it.
	work(ctx context.Context, cfg *river.Config) (worker, error)
	close()
}

// worker is a client of the queue that works jobs.
type worker interface {
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// querier asks the database.
type querier interface {
	query(ctx context.Context, sql string, args ...any) (rows, error)
}

// tx is a transaction.
type tx interface {
	querier
	exec(ctx context.Context, sql string, args ...any) (int64, error)
	enqueue(ctx context.Context, job river.JobArgs, o *river.InsertOpts) error
}

// rows is an answer; the caller closes it.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// one scans the only row of an answer. It returns false where there is none.
func one(ctx context.Context, q querier, dest []any, sql string, args ...any) (bool, error) {
	found := false
	err := each(ctx, q, func(r rows) error {
		found = true
		return r.Scan(dest...)
	}, sql, args...)
	return found, err
}

// each calls fn for every row of an answer.
func each(ctx context.Context, q querier, fn func(rows) error, sql string, args ...any) error {
	r, err := q.query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := fn(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// complete ends the job within the transaction: what the job did and its end are
// there together, or neither is.
func complete[T river.JobArgs](ctx context.Context, t tx, job *river.Job[T]) error {
	var err error
	switch t := t.(type) {
	case sqliteTx:
		_, err = river.JobCompleteTx[*riversqlite.Driver](ctx, t.Tx, job)
	case postgresTx:
		_, err = river.JobCompleteTx[*riverpgxv5.Driver](ctx, t.Tx, job)
	default:
		err = fmt.Errorf("no database is of type %T", t)
	}
	return err
}

// openDatabase opens what a --database value names, "sqlite:FILE" or "postgres://…".
func openDatabase(ctx context.Context, name string, log *slog.Logger) (database, error) {
	switch {
	case strings.HasPrefix(name, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(name, "sqlite:"), log)
	case strings.HasPrefix(name, "postgres://"), strings.HasPrefix(name, "postgresql://"):
		return openPostgres(ctx, name, log)
	}
	scheme, _, _ := strings.Cut(name, ":")
	return nil, fmt.Errorf("the database %q has no known kind: write sqlite:FILE or postgres://USER@HOST/NAME", scheme)
}

// migrate brings the schema up to date, forward only. Every step is one transaction.
func migrate(ctx context.Context, db database) error {
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	return db.write(ctx, func(t tx) error {
		if _, err := t.exec(ctx, `CREATE TABLE IF NOT EXISTS postscan_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`); err != nil {
			return err
		}
		var have int
		if _, err := one(ctx, t, []any{&have}, `SELECT COALESCE(MAX(version), 0) FROM postscan_schema`); err != nil {
			return err
		}
		if have > len(names) {
			return errNewer
		}
		for version := have + 1; version <= len(names); version++ {
			text, err := schemaFiles.ReadFile(names[version-1])
			if err != nil {
				return err
			}
			for statement := range statements(string(text), db.words()) {
				if _, err := t.exec(ctx, statement); err != nil {
					return fmt.Errorf("bring the schema to version %d (%s): %w", version, path.Base(names[version-1]), err)
				}
			}
			if _, err := t.exec(ctx, `INSERT INTO postscan_schema (version, applied_at) VALUES ($1, $2)`, version, time.Now().UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

var comment = regexp.MustCompile(`(?m)\s*--.*$`)

// statements are the statements of a file of the schema.
func statements(text string, words map[string]string) func(func(string) bool) {
	for name, word := range words {
		text = strings.ReplaceAll(text, "{{"+name+"}}", word)
	}
	text = comment.ReplaceAllString(text, "")
	return func(yield func(string) bool) {
		for s := range strings.SplitSeq(text, ";\n") { // a trigger has semicolons within its line
			if s = strings.TrimSpace(s); s != "" && !yield(s) {
				return
			}
		}
	}
}

// sqlite is a database in a file. One connection writes, as SQLite allows one
// writer; several read what was last written, without waiting for it.
type sqlite struct {
	writer *sql.DB
	reader *sql.DB
	driver *riversqlite.Driver
	queue  *river.Client[*sql.Tx]
}

// sqliteReaders bounds the connections that read.
const sqliteReaders = 8

func openSQLite(ctx context.Context, file string, log *slog.Logger) (_ database, err error) {
	if file == "" {
		return nil, errors.New("the database sqlite: names no file; write sqlite:FILE")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database %s: %w", file, err)
	}
	// The file holds what is wrong with every machine: it is for its owner alone.
	if f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	} else if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	}
	open := func(more ...string) (*sql.DB, error) {
		q := url.Values{"_pragma": append([]string{"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(ON)"}, more...)}
		q.Set("_txlock", "immediate")
		return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: q.Encode()}).String())
	}
	db := &sqlite{}
	defer func() {
		if err != nil {
			db.close()
		}
	}()
	if db.writer, err = open(); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	}
	db.writer.SetMaxOpenConns(1)
	if db.reader, err = open("query_only(ON)"); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	}
	db.reader.SetMaxOpenConns(sqliteReaders)
	if err := migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	}
	db.driver = riversqlite.New(db.writer)
	if err := migrateQueue(ctx, db.driver, log); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", file, err)
	}
	if db.queue, err = river.NewClient(db.driver, &river.Config{Logger: log}); err != nil {
		return nil, fmt.Errorf("open the queue of %s: %w", file, err)
	}
	return db, nil
}

func (db *sqlite) words() map[string]string {
	return map[string]string{
		"serial": "INTEGER PRIMARY KEY", "bytes": "BLOB", "lock": "", "skip": "", "sqlite": "", "postgres": "--",
		"like": "LIKE", "ids": "SELECT value AS id FROM json_each",
	}
}

func (db *sqlite) write(ctx context.Context, fn func(tx) error) error {
	t, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // does nothing after the commit
	if err := fn(sqliteTx{t, db.queue}); err != nil {
		return err
	}
	return t.Commit()
}

func (db *sqlite) read(ctx context.Context, fn func(querier) error) error {
	t, err := db.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	return fn(sqliteTx{t, nil})
}

func (db *sqlite) work(ctx context.Context, cfg *river.Config) (worker, error) {
	c, err := river.NewClient(db.driver, cfg)
	if err != nil {
		return nil, err
	}
	return c, c.Start(ctx)
}

func (db *sqlite) close() {
	for _, c := range []*sql.DB{db.reader, db.writer} {
		if c != nil {
			_ = c.Close() // everything is committed
		}
	}
}

type sqliteTx struct {
	*sql.Tx
	queue *river.Client[*sql.Tx]
}

var parameter = regexp.MustCompile(`\$(\d+)`)

func (t sqliteTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r, err := t.ExecContext(ctx, parameter.ReplaceAllString(sql, "?$1"), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t sqliteTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	r, err := t.QueryContext(ctx, parameter.ReplaceAllString(sql, "?$1"), args...)
	if err != nil {
		return nil, err
	}
	return sqlRows{r}, r.Err()
}

func (t sqliteTx) enqueue(ctx context.Context, job river.JobArgs, o *river.InsertOpts) error {
	_, err := t.queue.InsertTx(ctx, t.Tx, job, o)
	return err
}

type sqlRows struct{ *sql.Rows }

func (r sqlRows) Close() { _ = r.Rows.Close() } // Err tells what was wrong

// postgres is a database that several processes share.
type postgres struct {
	pool   *pgxpool.Pool
	driver *riverpgxv5.Driver
	queue  *river.Client[pgx.Tx]
}

// schemaLock is the advisory lock under which the schema changes: of several
// processes that start at once, one does it.
const schemaLock = 7_263_871_451

func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (_ database, err error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the database postgres://… cannot be read: write postgres://USER:PASSWORD@HOST:PORT/NAME") // the cause may hold the password
	}
	where := address(cfg.ConnConfig)
	db := &postgres{}
	if db.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", where, err)
	}
	defer func() {
		if err != nil {
			db.close()
		}
	}()
	db.driver = riverpgxv5.New(db.pool)
	lock, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to the database %s: %w", where, err)
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(schemaLock)); err != nil {
		return nil, fmt.Errorf("lock the schema of the database %s: %w", where, err)
	}
	defer func() {
		_, unlockErr := lock.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(schemaLock))
		err = errors.Join(err, unlockErr)
	}()
	if err := migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", where, err)
	}
	if err := migrateQueue(ctx, db.driver, log); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", where, err)
	}
	if db.queue, err = river.NewClient(db.driver, &river.Config{Logger: log}); err != nil {
		return nil, fmt.Errorf("open the queue of %s: %w", where, err)
	}
	return db, nil
}

// address names a database without its password.
func address(c *pgx.ConnConfig) string {
	return "postgres://" + c.Host + ":" + strconv.Itoa(int(c.Port)) + "/" + c.Database
}

func (db *postgres) words() map[string]string {
	return map[string]string{
		"serial": "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "bytes": "BYTEA", "lock": "FOR UPDATE", "skip": "FOR UPDATE SKIP LOCKED", "sqlite": "--", "postgres": "",
		// The case of ASCII letters alone does not count, as SQLite has it.
		"like": `COLLATE "C" ILIKE`, "ids": "SELECT CAST(value AS BIGINT) AS id FROM json_array_elements_text",
	}
}

func (db *postgres) write(ctx context.Context, fn func(tx) error) error {
	return pgx.BeginFunc(ctx, db.pool, func(t pgx.Tx) error { return fn(postgresTx{t, db.queue}) })
}

func (db *postgres) read(ctx context.Context, fn func(querier) error) error {
	return pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error { return fn(postgresTx{t, nil}) })
}

func (db *postgres) work(ctx context.Context, cfg *river.Config) (worker, error) {
	c, err := river.NewClient(db.driver, cfg)
	if err != nil {
		return nil, err
	}
	return c, c.Start(ctx)
}

func (db *postgres) close() {
	if db.pool != nil {
		db.pool.Close()
	}
}

type postgresTx struct {
	pgx.Tx
	queue *river.Client[pgx.Tx]
}

func (t postgresTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r, err := t.Exec(ctx, sql, storable(args)...)
	return r.RowsAffected(), err
}

// storable puts a mark in place of what PostgreSQL keeps in no text, as the byte 0 that
// a stranger wrote into a name: one odd name must not keep a whole run from being stored.
func storable(args []any) []any {
	clean := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD") }
	out := slices.Clone(args)
	for i, arg := range out {
		switch v := arg.(type) {
		case string:
			out[i] = clean(v)
		case *string:
			if v != nil {
				text := clean(*v)
				out[i] = &text
			}
		}
	}
	return out
}

func (t postgresTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	args = storable(args)
	if t.queue == nil { // what only reads is planned for what it asks: a rare text is not looked for as a common one is
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return t.Query(ctx, sql, args...)
}

func (t postgresTx) enqueue(ctx context.Context, job river.JobArgs, o *river.InsertOpts) error {
	_, err := t.queue.InsertTx(ctx, t.Tx, job, o)
	return err
}

// migrateQueue brings River's own tables up to date.
func migrateQueue[T any](ctx context.Context, driver riverdriver.Driver[T], log *slog.Logger) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return fmt.Errorf("prepare the tables of the queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("bring the tables of the queue up to date: %w", err)
	}
	return nil
}
