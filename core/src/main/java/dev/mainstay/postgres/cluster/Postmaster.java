package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a running server says about itself in `postmaster.pid` (src/include/utils/pidfile.h): the
/// process on the first line, whether connections are accepted on the eighth.
record Postmaster(long pid, String status) {
    private static final int STATUS_LINE = 7;

    /// The server whose process is alive and works on `dataDirectory`. A file that a crash left
    /// behind is no server, even if its process id belongs to another process by now.
    static Optional<Postmaster> running(Path dataDirectory) {
        return read(dataDirectory).filter(p -> isAlive(p.pid()) && worksOn(p.pid(), dataDirectory));
    }

    private static Optional<Postmaster> read(Path dataDirectory) {
        try {
            List<String> lines =
                    Files.readAllLines(
                            dataDirectory.resolve("postmaster.pid"), StandardCharsets.ISO_8859_1);
            if (lines.isEmpty()) {
                return Optional.empty();
            }
            // A standalone backend writes its process id negated.
            long pid = Math.abs(Long.parseLong(lines.getFirst().strip()));
            String status = lines.size() > STATUS_LINE ? lines.get(STATUS_LINE).strip() : "";
            return Optional.of(new Postmaster(pid, status));
        } catch (IOException | NumberFormatException absentOrBeingWritten) {
            return Optional.empty();
        }
    }

    /// Accepts connections, or is as far as it will get (`standby`: recovery without hot standby).
    boolean isUp() {
        return status.equals("ready") || status.equals("standby");
    }

    /// Alive and no zombie: an exited process whose parent has not asked for it holds nothing.
    static boolean isAlive(long pid) {
        if (ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty()) {
            return false;
        }
        try {
            String stat =
                    Files.readString(
                            Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            int state = stat.lastIndexOf(')') + 2;
            return state >= stat.length() || stat.charAt(state) != 'Z';
        } catch (IOException noProcFileSystemOrGone) {
            return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
        }
    }

    /// A server's working directory is its data directory. Where that cannot be read (another
    /// user's process), being alive has to do.
    private static boolean worksOn(long pid, Path dataDirectory) {
        try {
            return Files.isSameFile(Path.of("/proc/" + pid + "/cwd"), dataDirectory);
        } catch (IOException | SecurityException unreadable) {
            return true;
        }
    }
}
