package ledger

import (
	"context"
	"database/sql"
)

// Secret returns the 32 random bytes of that name, which are drawn when they are first asked for and stay the same.
func (l *Ledger) Secret(ctx context.Context, name string) (secret []byte, err error) {
	err = l.update(ctx, "reading a secret", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO secret VALUES (?, randomblob(32))", name); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT value FROM secret WHERE name = ?", name).Scan(&secret)
	})
	return secret, err
}
