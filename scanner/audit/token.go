package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Role is what a token, or a person who is logged in, may do.
type Role string

// The roles. An operator may do what a viewer may, and start runs; an uploader may
// add reports to one audit and nothing else.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Uploader Role = "upload"
)

// Token lets a program or a person in. The secret itself is not kept.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Audit   string    `json:"audit"` // of an uploader: the one audit
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Used    time.Time `json:"used,omitzero"`    // to the minute; zero: not yet
	Revoked time.Time `json:"revoked,omitzero"`
}

// ErrToken says that a secret opens nothing: it is unknown, revoked or expired.
var ErrToken = errors.New("the token is unknown, revoked or expired")

// tokenPrefix lets secret scanners recognise a token that leaked.
const tokenPrefix = "postscan_"

// hashToken is what is kept of a secret. It is random and long, so a plain hash is enough.
func hashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewToken makes a token and returns its secret, which is told this once.
func (s *Store) NewToken(ctx context.Context, name string, role Role, audit string, life time.Duration) (Token, string, error) {
	switch {
	case role != Viewer && role != Operator && role != Uploader:
		return Token{}, "", fmt.Errorf("the role %q is none of viewer, operator, upload", role)
	case role == Uploader && audit == "":
		return Token{}, "", errors.New("a token that uploads is for one audit: name it")
	case role != Uploader && audit != "":
		return Token{}, "", fmt.Errorf("a token of the role %s is not for one audit", role)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret := tokenPrefix + hex.EncodeToString(random)
	id, err := newID()
	if err != nil {
		return Token{}, "", err
	}
	t := Token{ID: id, Name: name, Role: role, Audit: audit, Created: s.opts.Now().UTC().Truncate(time.Microsecond)}
	if life > 0 {
		t.Expires = t.Created.Add(life)
	}
	err = s.db.write(ctx, func(x tx) error {
		_, err := x.exec(ctx, `INSERT INTO token (id, name, hash, role, audit, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			t.ID, t.Name, hashToken(secret), string(t.Role), t.Audit, t.Created.UnixMicro(), micros(t.Expires))
		return err
	})
	return t, secret, err
}

const tokenColumns = `id, name, role, audit, created_at, expires_at, used_at, revoked_at` //nolint:gosec // names of columns

func scanToken(r rows) (Token, error) {
	var t Token
	var created int64
	var expires, used, revoked *int64
	err := r.Scan(&t.ID, &t.Name, &t.Role, &t.Audit, &created, &expires, &used, &revoked)
	t.Created, t.Expires, t.Used, t.Revoked = moment(&created), moment(expires), moment(used), moment(revoked)
	return t, err
}

// Tokens lists all tokens, the latest first.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	out := []Token{}
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			t, err := scanToken(r)
			out = append(out, t)
			return err
		}, `SELECT `+tokenColumns+` FROM token ORDER BY id DESC`)
	})
	return out, err
}

// Revoke ends a token.
func (s *Store) Revoke(ctx context.Context, id string) error {
	return s.db.write(ctx, func(t tx) error {
		n, err := t.exec(ctx, `UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id, s.now())
		if err == nil && n == 0 {
			return fmt.Errorf("no token %q that is not revoked already", id)
		}
		return err
	})
}

// Authenticate returns the token of a secret, or [ErrToken].
func (s *Store) Authenticate(ctx context.Context, secret string) (Token, error) {
	return s.token(ctx, `hash = $1`, hashToken(secret))
}

// ValidToken returns the token of an id, or [ErrToken]: a session ends with its token.
func (s *Store) ValidToken(ctx context.Context, id string) (Token, error) {
	return s.token(ctx, `id = $1`, id)
}

func (s *Store) token(ctx context.Context, where, value string) (Token, error) {
	var found *Token
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			t, err := scanToken(r)
			found = &t
			return err
		}, `SELECT `+tokenColumns+` FROM token WHERE `+where, value)
	})
	now := s.opts.Now()
	switch {
	case err != nil:
		return Token{}, err
	case found == nil || !found.Revoked.IsZero() || !found.Expires.IsZero() && !now.Before(found.Expires):
		return Token{}, ErrToken
	}
	if now.Sub(found.Used) >= time.Minute {
		err = s.db.write(ctx, func(t tx) error {
			_, err := t.exec(ctx, `UPDATE token SET used_at = $2 WHERE id = $1`, found.ID, now.UnixMicro())
			return err
		})
	}
	return *found, err
}

// SessionKey returns the key that sessions are signed with, the same for every
// server on one database; it is made at first use.
func (s *Store) SessionKey(ctx context.Context) ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	err := s.db.write(ctx, func(t tx) error {
		if _, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ('session-key', $1) ON CONFLICT (name) DO NOTHING`, key); err != nil {
			return err
		}
		_, err := one(ctx, t, []any{&key}, `SELECT value FROM setting WHERE name = 'session-key'`)
		return err
	})
	return key, err
}
