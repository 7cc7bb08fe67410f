package dev.mainstay.cli;

import java.util.List;

/// What the process answers with.
///
/// PostgreSQL takes 1 to 125 from `restore_command` for the end of the log and promotes, and a JVM
/// that cannot start answers 1 (or 0, when told `-version` through its environment). So `wal` under
/// the launcher answers numbers that no JVM uses by itself, and the launcher turns these, and only
/// these, into 0 and 1. Without the launcher the process does the mapping itself.
enum Exits {
    ORDINARY,
    ARCHIVE_COMMAND,
    RESTORE_COMMAND;

    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int INTERRUPTED = 130;

    /// `wal get`: the repository was listed and does not hold the file.
    static final int PROVED_ABSENT = 44;

    /// `wal push` and `wal get` under the launcher: done.
    static final int WAL_DONE = 40;

    private static final int ABORT_RECOVERY = 126;

    /// Tells from the bare arguments, because those may not even parse.
    static Exits of(List<String> arguments) {
        int wal = arguments.indexOf("wal");
        if (wal < 0) {
            return ORDINARY;
        }
        List<String> behind = arguments.subList(wal, arguments.size());
        if (behind.contains("get")) {
            return RESTORE_COMMAND;
        }
        return behind.contains("push") ? ARCHIVE_COMMAND : ORDINARY;
    }

    /// The process's answer for what the command answered.
    int process(int code, boolean underLauncher) {
        return switch (this) {
            case ORDINARY -> code;
            case ARCHIVE_COMMAND -> code == OK && underLauncher ? WAL_DONE : code;
            case RESTORE_COMMAND -> {
                if (underLauncher) {
                    yield code == OK ? WAL_DONE : code;
                }
                yield code == OK ? OK : code == PROVED_ABSENT ? 1 : ABORT_RECOVERY;
            }
        };
    }
}
