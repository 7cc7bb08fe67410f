package dev.mainstay.engine.restore;

import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// Gives restored files their owners, modes and times. Only root can give files away: for everybody
/// else they are their own. An owner this host does not know becomes the one the data directory
/// goes to, which is never root. Thread-safe.
final class Ownership {
    private static final List<String> SERVERS = List.of("postgres", "nobody");

    private static final int OWNER_ONLY = 0700;
    private static final int GROUP_READS = 0750;

    private final boolean root = ServerUser.isRoot();
    private final UserPrincipalLookupService lookup;
    private final Map<String, Optional<UserPrincipal>> owners = new ConcurrentHashMap<>();
    private final Map<String, Optional<GroupPrincipal>> groups = new ConcurrentHashMap<>();
    private final String mainOwner;
    private final String mainGroup;
    private final int dataDirectoryMode;

    /// @param dataDirectory the backup's entry of the data directory itself, or any file in it
    Ownership(Path directory, ManifestEntry dataDirectory) {
        this.lookup = directory.getFileSystem().getUserPrincipalLookupService();
        this.mainOwner = server(dataDirectory.owner());
        this.mainGroup = dataDirectory.group();
        boolean groupReads = dataDirectory.path().isEmpty() && dataDirectory.mode() == GROUP_READS;
        this.dataDirectoryMode = groupReads ? GROUP_READS : OWNER_ONLY;
    }

    private String server(String recorded) {
        if (!recorded.equals("root") && owner(recorded).isPresent()) {
            return recorded;
        }
        return SERVERS.stream()
                .filter(name -> owner(name).isPresent())
                .findFirst()
                .orElse(recorded);
    }

    private Optional<UserPrincipal> owner(String name) {
        return owners.computeIfAbsent(
                name,
                _ -> {
                    try {
                        return Optional.of(lookup.lookupPrincipalByName(name));
                    } catch (IOException unknown) {
                        return Optional.empty();
                    }
                });
    }

    private Optional<GroupPrincipal> group(String name) {
        return groups.computeIfAbsent(
                name,
                _ -> {
                    try {
                        return Optional.of(lookup.lookupPrincipalByGroupName(name));
                    } catch (IOException unknown) {
                        return Optional.empty();
                    }
                });
    }

    /// What the backup recorded.
    void apply(Path path, ManifestEntry entry) throws IOException {
        own(path, entry.owner(), entry.group());
        Files.setAttribute(path, "unix:mode", mode(entry), LinkOption.NOFOLLOW_LINKS);
        Files.setLastModifiedTime(
                path, FileTime.from(entry.modifiedMicros(), TimeUnit.MICROSECONDS));
    }

    /// Of a link that leads nowhere the backup has the link's own mode, which lets everybody write.
    private static int mode(ManifestEntry entry) {
        return switch (entry.content()) {
            case Content.Link _ -> entry.mode() & GROUP_READS;
            case Content.Directory _, Content.Paged _, Content.Chunked _ -> entry.mode();
        };
    }

    /// One of the two that PostgreSQL accepts.
    int dataDirectoryMode() {
        return dataDirectoryMode;
    }

    /// For what is not in the backup: the data directory's owner.
    void applyMain(Path path, int mode) throws IOException {
        own(path, mainOwner, mainGroup);
        Files.setAttribute(path, "unix:mode", mode, LinkOption.NOFOLLOW_LINKS);
    }

    /// A link has an owner alone.
    void applyToLink(Path link) throws IOException {
        own(link, mainOwner, mainGroup);
    }

    private void own(Path path, String owner, String group) throws IOException {
        if (!root) {
            return;
        }
        PosixFileAttributeView view =
                Files.getFileAttributeView(
                        path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (view == null) {
            return; // a file system without owners
        }
        Optional<UserPrincipal> user = owner(owner).or(() -> owner(mainOwner));
        if (user.isPresent()) {
            view.setOwner(user.get());
        }
        Optional<GroupPrincipal> users = group(group).or(() -> group(mainGroup));
        if (users.isPresent()) {
            view.setGroup(users.get());
        }
    }
}
