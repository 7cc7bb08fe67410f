package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads `mainstay.yaml`. Everything in it must be understood: an unknown key, a wrong type or an
/// unset variable is an error that says where it stands, and all of them are told at once. Relative
/// paths in the file start at its own folder.
public final class ConfigurationReader {
    private static final Path SYSTEM_FILE = Path.of("/etc/mainstay/mainstay.yaml");

    private final Map<String, String> environment;

    /// @param environment what `${NAME}` reads
    public ConfigurationReader(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /// Finds and reads the file: the named one, else `mainstay.yaml` in the working directory, else
    /// the system's. Without any the environment may say it all.
    ///
    /// @throws MainstayException `CONFIG_MISSING`, or what [#read] throws
    public Configuration find(Optional<Path> named, Path workingDirectory) {
        if (named.isPresent()) {
            return read(workingDirectory.resolve(named.get()));
        }
        Path local = workingDirectory.resolve("mainstay.yaml");
        for (Path candidate : List.of(local, SYSTEM_FILE)) {
            if (Files.exists(candidate)) {
                return read(candidate);
            }
        }
        List<EnvironmentKeys.Key> keys = new ArrayList<>();
        if (OperatorsEnvironment.isIn(environment)) {
            keys.addAll(OperatorsEnvironment.keys(environment));
        }
        keys.addAll(EnvironmentKeys.named(environment));
        if (keys.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.CONFIG_MISSING,
                    "no configuration: there is neither " + local + " nor " + SYSTEM_FILE);
        }
        return sections(
                "the environment",
                EnvironmentKeys.onto(Optional.empty(), keys).orElseThrow(),
                workingDirectory.toAbsolutePath(),
                false);
    }

    /// @throws MainstayException `CONFIG_MISSING`, `CONFIG_INVALID`, `CONFIG_KEY_UNKNOWN` or
    ///   `CONFIG_VARIABLE_UNSET`
    public Configuration read(Path file) {
        byte[] bytes;
        boolean readableByOthers;
        try {
            bytes = Files.readAllBytes(file);
            readableByOthers = isReadableByOthers(file);
        } catch (NoSuchFileException missing) {
            throw new MainstayException(
                    ErrorCode.CONFIG_MISSING, "no configuration at " + file, missing);
        } catch (IOException wrong) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    "cannot read the configuration " + file + ": " + reason(wrong),
                    "it must be a file that this user may read",
                    wrong);
        }
        Path folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(file);
        return parse(file.toString(), decode(file, bytes), folder, readableByOthers);
    }

    /// Reads a configuration from a text.
    ///
    /// @param origin names the text in messages
    /// @param folder where relative paths start
    public Configuration parse(String origin, String yaml, Path folder) {
        return parse(origin, yaml, folder, false);
    }

    private Configuration parse(String origin, String yaml, Path folder, boolean readableByOthers) {
        if (Expansion.isAmbiguous(yaml)) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    origin + ": letters U+E000 to U+E07F (private use) cannot stand in it");
        }
        Node root =
                EnvironmentKeys.onto(
                                compose(origin, Expansion.protect(yaml)),
                                EnvironmentKeys.named(environment))
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.CONFIG_INVALID,
                                                origin + " is empty",
                                                "it needs at least repository.url",
                                                null));
        return sections(origin, root, folder, readableByOthers);
    }

    private Configuration sections(
            String origin, Node root, Path folder, boolean readableByOthers) {
        Reading reading = new Reading(origin, new Expansion(environment));
        return reading.all(
                () ->
                        new Sections(folder, readableByOthers)
                                .configuration(origin, new ConfigNode(reading, "", root)));
    }

    private static Optional<Node> compose(String origin, String yaml) {
        LoadSettings settings = LoadSettings.builder().setLabel(origin).setUseMarks(true).build();
        try {
            return new Compose(settings).composeString(yaml);
        } catch (MarkedYamlEngineException wrong) {
            // Never getMessage(): it quotes the line, and that may hold a passphrase.
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    ConfigNode.place(origin, wrong.getProblemMark()) + ": " + wrong.getProblem());
        } catch (YamlEngineException wrong) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID, origin + ": not YAML: " + wrong.getMessage());
        }
    }

    private static String decode(Path file, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException wrong) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID, file + " is no UTF-8 text", wrong);
        }
    }

    private static boolean isReadableByOthers(Path file) throws IOException {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
    }

    private static String reason(IOException wrong) {
        String message = String.valueOf(wrong.getMessage());
        return wrong.getClass().getSimpleName().replace("Exception", "") + " " + message;
    }
}
