package dev.mainstay.it;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.postgres.cluster.PageKind;
import dev.mainstay.postgres.cluster.PageMask;
import dev.mainstay.postgres.cluster.PageMask.Difference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// Compares the files of two backups of the same state: relation files page by page, leaving out
/// what PostgreSQL's own comparison leaves out; everything else byte by byte.
final class FileJudge {
    /// Written by every checkpoint and so by every backup.
    private static final Set<String> OF_ITS_OWN = Set.of("global/pg_control");

    private static final int SHOWN = 20;
    private static final int BLOCK = 8192;

    private final PageMask mask = new PageMask(BLOCK);
    private final List<String> complaints = new ArrayList<>();
    private long pages;
    private long masked;

    /// @param complaints the first; none if the files are the same
    record Judgement(List<String> complaints, long pages, long masked) {}

    static Judgement compare(FileTree one, FileTree other) {
        FileJudge judge = new FileJudge();
        SortedSet<String> paths = new TreeSet<>(one.items().keySet());
        paths.addAll(other.items().keySet());
        paths.removeAll(OF_ITS_OWN);
        paths.forEach(path -> judge.path(path, one, other));
        return new Judgement(judge.complaints, judge.pages, judge.masked);
    }

    private void path(String path, FileTree one, FileTree other) {
        FileTree.Item here = one.items().get(path);
        FileTree.Item there = other.items().get(path);
        if (here == null || !here.equals(there)) {
            complain(path + " is " + here + " and " + there);
            return;
        }
        switch (here.kind()) {
            case RELATION -> relation(path, one.content(path), other.content(path));
            case FILE -> {
                if (!Arrays.equals(one.content(path), other.content(path))) {
                    complain(path + " differs");
                }
            }
            case DIRECTORY, LINK -> {}
        }
    }

    private void relation(String path, byte[] here, byte[] there) {
        if (here.length != there.length) {
            complain(path + " has " + here.length + " and " + there.length + " bytes");
        }
        boolean map = path.endsWith("_fsm") || path.endsWith("_vm");
        for (int at = 0; at + BLOCK <= Math.min(here.length, there.length); at += BLOCK) {
            int block = at / BLOCK; // no relation here has a second segment file
            Difference difference =
                    map
                            ? mask.compare(here, at, there, at, block, PageKind.UNKNOWN)
                            : mask.compare(here, at, there, at, block);
            pages++;
            switch (difference) {
                case IDENTICAL -> {}
                case MASKED -> masked++;
                case DIFFERENT -> different(path, block, here, there);
            }
        }
    }

    private void different(String path, int block, byte[] here, byte[] there) {
        int at = block * BLOCK;
        int first = Arrays.mismatch(here, at + 10, at + BLOCK, there, at + 10, at + BLOCK) + 10;
        Lsn lsn = PageCheck.lsn(here, at);
        complain(
                path
                        + " block "
                        + block
                        + " ("
                        + PageKind.of(here, at, BLOCK)
                        + ") differs from byte "
                        + first
                        + " on; positions "
                        + lsn
                        + " and "
                        + PageCheck.lsn(there, at));
    }

    private void complain(String text) {
        if (complaints.size() < SHOWN) {
            complaints.add(text);
        }
    }
}
