package dev.mainstay.postgres.wal;

import java.util.Optional;

/// The forks of a relation, in PostgreSQL's numbering (src/include/common/relpath.h).
public enum Fork {
    MAIN(0),
    FSM(1),
    VM(2),
    INIT(3);

    private static final Fork[] ALL = values();

    private final int number;

    Fork(int number) {
        this.number = number;
    }

    /// PostgreSQL's number of this fork.
    public int number() {
        return number;
    }

    static Optional<Fork> ofNumber(int number) {
        return number >= 0 && number < ALL.length ? Optional.of(ALL[number]) : Optional.empty();
    }

    static Fork at(int number) {
        return ALL[number];
    }
}
