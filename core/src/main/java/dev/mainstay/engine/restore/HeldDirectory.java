package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A directory that is held open while something in it is looked at or deleted. Everything is named
/// relative to the open directory and no link is ever followed: whoever renames a directory, or
/// puts a link where one was, leads nobody astray.
final class HeldDirectory implements AutoCloseable {
    private static final Path ITSELF = Path.of(".");

    private final Path path;
    private final SecureDirectoryStream<Path> open;

    private HeldDirectory(Path path, SecureDirectoryStream<Path> open) {
        this.path = path;
        this.open = open;
    }

    /// @param path may lead through links; what they lead to is held
    /// @throws NoSuchFileException if there is none
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if this system cannot hold directories
    @SuppressWarnings("StreamResourceLeak") // closed by close()
    static HeldDirectory open(Path path) throws IOException {
        Path real = path.toRealPath();
        return new HeldDirectory(real, secure(real, Files.newDirectoryStream(real)));
    }

    private static SecureDirectoryStream<Path> secure(Path path, DirectoryStream<Path> stream)
            throws IOException {
        if (stream instanceof SecureDirectoryStream<Path> secure) {
            return secure;
        }
        stream.close();
        throw new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                "on this system nothing in " + path + " can be deleted safely");
    }

    /// Without links in it, as it was when it was opened.
    Path path() {
        return path;
    }

    /// Tells this directory from every other on this host: a copy of it has another one.
    String identity() throws IOException {
        return identity(
                open.getFileAttributeView(BasicFileAttributeView.class).readAttributes(), path);
    }

    private static String identity(BasicFileAttributes attributes, Path path) throws IOException {
        Object key = attributes.fileKey();
        if (key == null) {
            throw new IOException("the file system of " + path + " does not number its files");
        }
        return key.toString();
    }

    /// Everything in it, without the order it has on disk.
    List<String> names() throws IOException {
        List<String> names = new ArrayList<>();
        try (SecureDirectoryStream<Path> children = again(open, ITSELF)) {
            for (Path child : children) {
                names.add(child.getFileName().toString());
            }
        } catch (DirectoryIteratorException unreadable) {
            throw unreadable.getCause();
        }
        names.sort(null);
        return names;
    }

    /// @param name of one thing in this directory, or in a directory in it
    boolean has(String... name) throws IOException {
        return attributes(name).isPresent();
    }

    boolean hasDirectory(String name) throws IOException {
        return attributes(name).filter(BasicFileAttributes::isDirectory).isPresent();
    }

    private Optional<BasicFileAttributes> attributes(String... name) throws IOException {
        String[] inner = Arrays.copyOfRange(name, 1, name.length);
        BasicFileAttributes found;
        try {
            found = attributes(open, Path.of(name[0]));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
        if (inner.length == 0) {
            return Optional.of(found);
        }
        if (!found.isDirectory()) {
            return Optional.empty();
        }
        try (HeldDirectory child =
                new HeldDirectory(path.resolve(name[0]), again(open, Path.of(name[0])))) {
            return child.attributes(inner);
        }
    }

    private static BasicFileAttributes attributes(SecureDirectoryStream<Path> in, Path name)
            throws IOException {
        return in.getFileAttributeView(
                        name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes();
    }

    private static SecureDirectoryStream<Path> again(SecureDirectoryStream<Path> in, Path name)
            throws IOException {
        return in.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
    }

    /// What a small regular file holds; empty if there is no such file or it is larger.
    Optional<byte[]> read(String name, int limit) throws IOException {
        Optional<BasicFileAttributes> found = attributes(name);
        if (found.isEmpty() || !found.get().isRegularFile() || found.get().size() > limit) {
            return Optional.empty();
        }
        try (SeekableByteChannel in =
                open.newByteChannel(
                        Path.of(name),
                        Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            ByteBuffer content = ByteBuffer.allocate(limit);
            while (content.hasRemaining() && in.read(content) >= 0) {
                // there is more
            }
            return Optional.of(Arrays.copyOf(content.array(), content.position()));
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    /// A new file that only its owner reads.
    ///
    /// @throws java.nio.file.FileAlreadyExistsException if there is anything of this name
    FileChannel create(String name) throws IOException {
        return channel(
                name,
                Set.of(
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS));
    }

    FileChannel openToChange(String name) throws IOException {
        return channel(
                name,
                Set.of(
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS));
    }

    private FileChannel channel(String name, Set<OpenOption> options) throws IOException {
        SeekableByteChannel channel =
                open.newByteChannel(
                        Path.of(name),
                        options,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
        if (channel instanceof FileChannel file) {
            return file;
        }
        channel.close();
        throw new IOException("no file channel for " + path.resolve(name));
    }

    /// Renames something in a directory of this one, durably. What has the new name is replaced.
    ///
    /// @return false if there is no such directory, or nothing of that name in it
    boolean renameIn(String directory, String from, String to) throws IOException {
        if (!hasDirectory(directory)) {
            return false;
        }
        Path inner = path.resolve(directory);
        try (SecureDirectoryStream<Path> in = again(open, Path.of(directory))) {
            in.move(Path.of(from), in, Path.of(to));
        } catch (NoSuchFileException absent) {
            return false;
        }
        RestoreFiles.syncDirectory(inner);
        return true;
    }

    /// What this holds, for who walks through all of it. Closed by the caller.
    SecureDirectoryStream<Path> stream() throws IOException {
        return again(open, ITSELF);
    }

    void deleteFile(String name) throws IOException {
        open.deleteFile(Path.of(name));
    }

    /// Deletes everything in it but one file. Links are deleted, not followed; nothing on another
    /// file system is touched.
    ///
    /// @throws IOException with part of it deleted
    void empty(String kept) throws IOException {
        String device = device(identity());
        try (SecureDirectoryStream<Path> children = again(open, ITSELF)) {
            for (Path child : children) {
                Path name = child.getFileName();
                if (!name.toString().equals(kept)) {
                    delete(open, name, path.resolve(name), device);
                }
            }
        } catch (DirectoryIteratorException unreadable) {
            throw unreadable.getCause();
        }
    }

    private static void delete(SecureDirectoryStream<Path> in, Path name, Path full, String device)
            throws IOException {
        BasicFileAttributes found = attributes(in, name);
        if (!found.isDirectory()) {
            in.deleteFile(name);
            return;
        }
        try (SecureDirectoryStream<Path> children = again(in, name)) {
            BasicFileAttributes opened =
                    children.getFileAttributeView(BasicFileAttributeView.class).readAttributes();
            if (!device(identity(opened, full)).equals(device)) {
                throw new IOException(full + " is another file system");
            }
            for (Path child : children) {
                Path inner = child.getFileName();
                delete(children, inner, full.resolve(inner), device);
            }
        } catch (NotDirectoryException changed) {
            throw new IOException(full + " changed while it was deleted", changed);
        }
        in.deleteDirectory(name);
    }

    /// The JDK names files `(dev=fe01,ino=1234)`. Were it to change that, nothing would be deleted.
    static String device(String identity) {
        int comma = identity.indexOf(',');
        return comma < 0 ? identity : identity.substring(0, comma);
    }

    @Override
    public void close() throws IOException {
        open.close();
    }
}
