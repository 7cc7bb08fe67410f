package dev.mainstay.engine.restore;

import dev.mainstay.postgres.wal.WalTarget;

/// How far a restore replays the log.
public sealed interface RestoreTarget {
    /// To the end of what is stored.
    record Latest() implements RestoreTarget {
        @Override
        public String toString() {
            return "the latest state";
        }
    }

    /// As soon as the backup is consistent.
    record Immediate() implements RestoreTarget {
        @Override
        public String toString() {
            return "the end of the backup";
        }
    }

    /// To a time, transaction, position or restore point, as PostgreSQL means it.
    record At(WalTarget point) implements RestoreTarget {
        @Override
        public String toString() {
            return switch (point) {
                case WalTarget.AtTime(var time, boolean inclusive) ->
                        "time " + time + exclusive(inclusive);
                case WalTarget.AtXid(long xid, boolean inclusive) ->
                        "transaction " + xid + exclusive(inclusive);
                case WalTarget.AtLsn(var lsn, boolean inclusive) ->
                        "position " + lsn + exclusive(inclusive);
                case WalTarget.AtName(String name) -> "restore point '" + name + "'";
            };
        }

        private static String exclusive(boolean inclusive) {
            return inclusive ? "" : ", exclusive";
        }
    }
}
