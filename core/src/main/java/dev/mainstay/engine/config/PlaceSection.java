package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.RemotePlace;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Keys of the section `repository`, and of a copy, that say where a store over a network is and
/// how it is reached. Which are known depends on the scheme of `url`.
final class PlaceSection {
    /// A kind of store.
    ///
    /// @param own keys that other kinds may have, too
    /// @param check of a url with this scheme; throws IllegalArgumentException
    private record Kind(
            String scheme, String shown, List<String> own, Consumer<String> check, Reader reader) {
        boolean knows(String key) {
            return RemoteKeys.KEYS.contains(key) || own.contains(key);
        }

        static Optional<Kind> of(String url) {
            return KINDS.stream().filter(kind -> url.startsWith(kind.scheme)).findFirst();
        }
    }

    /// From the entries of the section to a place.
    private interface Reader {
        RemotePlace read(
                String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path);
    }

    private static final List<Kind> KINDS =
            List.of(
                    new Kind(
                            S3Section.SCHEME,
                            "S3 (s3://bucket/prefix)",
                            S3Section.KEYS,
                            S3Section::checkUrl,
                            S3Section::read),
                    new Kind(
                            AzureSection.SCHEME,
                            "Azure (az://account/container/prefix)",
                            AzureSection.KEYS,
                            AzureSection::checkUrl,
                            AzureSection::read),
                    new Kind(
                            GcsSection.SCHEME,
                            "Google Cloud Storage (gs://bucket/prefix)",
                            GcsSection.KEYS,
                            GcsSection::checkUrl,
                            GcsSection::read));

    private PlaceSection() {}

    /// All of them.
    static List<String> keys() {
        List<String> keys = new ArrayList<>(RemoteKeys.KEYS);
        for (Kind kind : KINDS) {
            kind.own.stream().filter(key -> !keys.contains(key)).forEach(keys::add);
        }
        return keys;
    }

    /// Those whose values nobody else should read.
    static List<String> secrets() {
        return Stream.of(S3Section.SECRETS, AzureSection.SECRETS).flatMap(List::stream).toList();
    }

    /// @param entries of the section
    /// @param path reads a path
    /// @return empty for a repository in a folder
    static Optional<RemotePlace> read(
            String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        Optional<Kind> kind = Kind.of(url);
        for (String key : keys()) {
            ConfigNode stray = entries.get(key);
            if (stray != null && !kind.map(known -> known.knows(key)).orElse(false)) {
                throw stray.invalid(
                        "belongs to a repository in "
                                + KINDS.stream()
                                        .filter(other -> other.knows(key))
                                        .map(other -> other.shown)
                                        .collect(Collectors.joining(" or "))
                                + ", and repository.url is "
                                + url);
            }
        }
        return kind.map(known -> known.reader.read(url, entries, path));
    }

    /// Whether the text names a place where its scheme promises one.
    ///
    /// @throws IllegalArgumentException if it does not
    static String checkUrl(String url) {
        Kind.of(url).ifPresent(kind -> kind.check.accept(url));
        return url;
    }
}
