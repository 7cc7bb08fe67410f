package dev.mainstay.engine.check;

import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ServerHost;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a crash of the server's host would lose: whether commits wait for the receiver, and whether
/// what the receiver holds is lost with the server.
final class SynchronousProbe {
    private static final String ID = "rpo";

    private SynchronousProbe() {}

    static List<Finding> look(
            ConnectionSpec spec, Optional<Path> dataDirectory, String receiver, ServerView view)
            throws IOException {
        List<Finding> findings = new ArrayList<>();
        boolean named = names(view.setting("synchronous_standby_names"), receiver);
        String commit = view.setting("synchronous_commit");
        if (named) {
            findings.addAll(waiting(receiver, commit, view));
        }
        if (isHere(spec, dataDirectory)) {
            findings.add(
                    Finding.warning(
                            ID,
                            "the spool is on the server's own host: losing this host loses what is"
                                    + " not stored yet; this is not RPO 0",
                            "run 'mainstay wal receive' on another host"));
        } else if (!named) {
            findings.add(
                    Finding.ok(
                            ID,
                            "commits do not wait for the receiver: losing the server may lose the"
                                    + " last moment; for RPO 0, name "
                                    + receiver
                                    + " in synchronous_standby_names"));
        }
        return findings;
    }

    private static List<Finding> waiting(String receiver, String commit, ServerView view) {
        List<Finding> findings = new ArrayList<>();
        switch (commit) {
            case "remote_apply" ->
                    findings.add(
                            Finding.error(
                                    "remote-apply",
                                    "synchronous_commit = remote_apply is impossible with "
                                            + receiver
                                            + " in synchronous_standby_names: the receiver stores"
                                            + " WAL and never applies it, so commits wait for ever",
                                    "set synchronous_commit = on"));
            case "on", "remote_write" -> {}
            default ->
                    findings.add(
                            Finding.warning(
                                    ID,
                                    receiver
                                            + " is named in synchronous_standby_names, but with"
                                            + " synchronous_commit = "
                                            + commit
                                            + " commits do not wait for it",
                                    "set synchronous_commit = on"));
        }
        if (!view.receiver()) {
            findings.add(
                    Finding.error(
                            "synchronous",
                            receiver
                                    + " is named in synchronous_standby_names and not connected:"
                                    + " commits may be waiting for it",
                            "start the receiver, or take the name out of"
                                    + " synchronous_standby_names"));
        }
        return findings;
    }

    /// `FIRST 2 (a, "b")`, `ANY 1 (*)`, `2 (a, b)` or `a, b`; names compare without case.
    static boolean names(String setting, String receiver) {
        int open = setting.indexOf('(');
        String list = open < 0 ? setting : setting.substring(open + 1).replace(")", "");
        return Arrays.stream(list.split(","))
                .map(name -> name.strip().replace("\"", ""))
                .anyMatch(name -> name.equals("*") || name.equalsIgnoreCase(receiver));
    }

    /// Whether the server runs on this host: its files are here, or its address is one of ours.
    private static boolean isHere(ConnectionSpec spec, Optional<Path> dataDirectory)
            throws IOException {
        if (dataDirectory.filter(Files::isDirectory).isPresent()) {
            return true;
        }
        for (ServerHost host : spec.hosts()) {
            switch (host) {
                case ServerHost.Unix _ -> {
                    return true;
                }
                case ServerHost.Tcp(String name, _) -> {
                    InetAddress address = InetAddress.getByName(name);
                    if (address.isLoopbackAddress()
                            || NetworkInterface.getByInetAddress(address) != null) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
