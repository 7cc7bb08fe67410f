package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.RemoteKey;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/// The section `repository.key`.
final class KeySection {
    private static final List<String> KINDS =
            List.of(
                    "file",
                    "passphrase",
                    "recovery-file",
                    "pkcs11",
                    "aws-kms",
                    "gcp-kms",
                    "azure-key-vault");
    private static final Pattern AWS =
            Pattern.compile("(?:arn:[a-z0-9-]+:kms:[a-z0-9-]+:\\d{12}:)?[A-Za-z0-9/_-]{1,256}");
    private static final Pattern GOOGLE =
            Pattern.compile(
                    "projects/[^/]+/locations/[^/]+/keyRings/[A-Za-z0-9_-]+/cryptoKeys/[A-Za-z0-9_-]+");

    private static final Pattern AZURE =
            Pattern.compile(
                    "https://[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+(:\\d{1,5})?/keys/[A-Za-z0-9-]{1,127}");

    private final Function<ConfigNode, Path> path;
    private final BiConsumer<ConfigNode, String> warnIfOpen;

    /// @param path reads a path
    /// @param warnIfOpen for a secret and what it is
    KeySection(Function<ConfigNode, Path> path, BiConsumer<ConfigNode, String> warnIfOpen) {
        this.path = path;
        this.warnIfOpen = warnIfOpen;
    }

    KeySource read(ConfigNode node) {
        if (!node.isMapping()) {
            throw node.invalid("must be { file: PATH } or { passphrase: ${NAME} }");
        }
        Map<String, ConfigNode> entries = node.entries(KINDS.toArray(String[]::new));
        if (entries.size() != 1) {
            throw node.invalid("needs one of " + String.join(", ", KINDS));
        }
        Map.Entry<String, ConfigNode> one = entries.entrySet().iterator().next();
        ConfigNode value = one.getValue();
        return switch (one.getKey()) {
            case "file" -> new KeySource.KeyFile(path.apply(value));
            case "pkcs11" -> token(value);
            case "recovery-file" -> new KeySource.RecoveryFile(path.apply(value));
            case "aws-kms" -> new KeySource.Remote(aws(value));
            case "gcp-kms" -> new KeySource.Remote(google(value));
            case "azure-key-vault" -> new KeySource.Remote(azure(value));
            default -> {
                warnIfOpen.accept(value, "passphrase");
                yield new KeySource.Passphrase(value.secret());
            }
        };
    }

    private KeySource token(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("library", "slot", "pin", "key");
        ConfigNode slot = entries.get("slot");
        ConfigNode pin = Sections.required(node, entries, "pin");
        warnIfOpen.accept(pin, "pin");
        return new KeySource.Token(
                path.apply(Sections.required(node, entries, "library")),
                slot == null
                        ? OptionalLong.empty()
                        : OptionalLong.of(slot.parsed(Long::parseUnsignedLong)),
                pin.secret(),
                Sections.required(node, entries, "key").text());
    }

    /// The key alone, or a mapping of it and of what says how the service is reached.
    private Map<String, ConfigNode> parts(ConfigNode node, List<String> route, List<String> own) {
        if (!node.isMapping()) {
            return Map.of("key", node);
        }
        List<String> known = new ArrayList<>(List.of("key"));
        known.addAll(route);
        known.addAll(own);
        return node.entries(known.toArray(String[]::new));
    }

    private static String name(
            ConfigNode node, Map<String, ConfigNode> parts, Pattern form, String example) {
        return Sections.required(node, parts, "key")
                .parsed(
                        text -> {
                            if (!form.matcher(text).matches()) {
                                throw new IllegalArgumentException(
                                        "'" + text + "' names no key (try " + example + ")");
                            }
                            return text;
                        });
    }

    private RemoteKey aws(ConfigNode node) {
        Map<String, ConfigNode> parts = parts(node, RemoteKeys.KEYS, S3Section.LOGIN);
        RemoteKeys keys = new RemoteKeys(parts, path);
        S3Section.SECRETS.stream()
                .filter(parts::containsKey)
                .forEach(secret -> warnIfOpen.accept(parts.get(secret), secret));
        return new RemoteKey.Aws(
                name(node, parts, AWS, "arn:aws:kms:REGION:ACCOUNT:key/ID, or alias/NAME"),
                keys.text("region"),
                keys.endpoint("https://kms.example.org"),
                S3Section.login(keys),
                keys.route());
    }

    private RemoteKey google(ConfigNode node) {
        Map<String, ConfigNode> parts = parts(node, RemoteKeys.KEYS, GcsSection.LOGIN);
        RemoteKeys keys = new RemoteKeys(parts, path);
        Optional<URI> endpoint = keys.endpoint("https://kms.example.org");
        return new RemoteKey.Google(
                name(
                        node,
                        parts,
                        GOOGLE,
                        "projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version"),
                endpoint,
                GcsSection.login(keys, path, endpoint),
                keys.route());
    }

    /// The key names its vault: there is no other endpoint.
    private RemoteKey azure(ConfigNode node) {
        Map<String, ConfigNode> parts = parts(node, RemoteKeys.WAY, AzureSection.IDENTITY);
        RemoteKeys keys = new RemoteKeys(parts, path);
        return new RemoteKey.Azure(
                name(
                        node,
                        parts,
                        AZURE,
                        "https://VAULT.vault.azure.net/keys/NAME, without a version"),
                AzureSection.identity(keys),
                keys.route());
    }
}
