package dev.mainstay.engine.archive;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Files of ours that carry the number of the process they belong to: what an agent fetches ahead,
/// and what the launcher is about to rename.
final class LeftFiles {
    private static final Pattern NAME =
            Pattern.compile("([0-9]+)-[0-9]+-.*|.*\\.mainstay~([0-9]+)");
    private static final int MAX_DIGITS = 10;

    private LeftFiles() {}

    /// A name for this process's file.
    static String name(String rest) {
        return ProcessHandle.current().pid() + "-" + rest;
    }

    /// Removes the files of processes that were killed.
    static void remove(Path where) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(where)) {
            for (Path file : files) {
                Matcher left = NAME.matcher(String.valueOf(file.getFileName()));
                if (left.matches() && isOver(left)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException nothing) {
            // there is no such folder, or it is in the way of nothing
        }
    }

    private static boolean isOver(Matcher left) {
        String pid = left.group(1) == null ? left.group(2) : left.group(1);
        return pid.length() <= MAX_DIGITS
                && ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive).isEmpty();
    }
}
