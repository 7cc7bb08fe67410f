package dev.mainstay.cli;

import org.jspecify.annotations.Nullable;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;

/// What a server says during a backup, for [Training], which runs where no PostgreSQL is: it knows
/// the answers to the questions of a backup and nothing else. They are in `training-answers.txt`.
///
/// It speaks as much of the protocol (PostgreSQL documentation, "Frontend/Backend Protocol",
/// version 3.0) as the driver uses: simple and extended queries, results as text, no
/// authentication.
final class TrainingServer implements AutoCloseable {
    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_REQUEST = 80877104;

    private record Column(String name, int type) {}

    /// @param columns none for statements without a result
    private record Answer(String tag, List<Column> columns, List<String> rows) {}

    private final Map<String, String> parameters = new LinkedHashMap<>();
    private final Map<String, Answer> answers = new HashMap<>();
    private final Set<String> unknown = Collections.synchronizedSet(new LinkedHashSet<>());
    private byte[] control = {};
    private final ServerSocket socket;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /// Listens on loopback.
    ///
    /// @param fill puts values in place of `${…}` in the answers
    TrainingServer(UnaryOperator<String> fill) throws IOException {
        read(fill);
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return socket.getLocalPort();
    }

    /// Its `pg_control`, without the zeros at the end.
    byte[] control() {
        return control.clone();
    }

    /// What it was asked and had no answer for.
    Set<String> unknown() {
        synchronized (unknown) {
            return Set.copyOf(unknown);
        }
    }

    private void read(UnaryOperator<String> fill) throws IOException {
        InputStream resource =
                Objects.requireNonNull(
                        TrainingServer.class.getResourceAsStream("training-answers.txt"));
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(resource, StandardCharsets.UTF_8))) {
            Answer answer = new Answer("", new ArrayList<>(), new ArrayList<>());
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String rest = fill.apply(line.substring(Math.min(2, line.length())));
                switch (line.isEmpty() ? '#' : line.charAt(0)) {
                    case '@' -> {
                        String[] pair = rest.split("\t", 2);
                        parameters.put(pair[0], pair[1]);
                    }
                    case '%' -> control = Base64.getDecoder().decode(rest);
                    case '?' -> {
                        answer =
                                new Answer(
                                        rest.split(" ", 2)[0],
                                        new ArrayList<>(),
                                        new ArrayList<>());
                        answers.put(rest, answer);
                    }
                    case ':' -> {
                        for (String column : rest.split("\t", -1)) {
                            int blank = column.lastIndexOf(' ');
                            answer.columns.add(
                                    new Column(
                                            column.substring(0, blank),
                                            Integer.parseInt(column.substring(blank + 1))));
                        }
                    }
                    case '=' -> answer.rows.add(rest);
                    default -> {}
                }
            }
        }
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                threads.execute(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            new Session(client).run();
        } catch (IOException gone) {
            // the other side has what it wanted
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        threads.shutdownNow();
    }

    /// One connection.
    private final class Session {
        private final DataInputStream in;
        private final DataOutputStream out;
        private final Map<String, String> statements = new HashMap<>();
        private String bound = "";
        private boolean inTransaction;
        private boolean failed;

        Session(Socket client) throws IOException {
            client.setTcpNoDelay(true);
            in = new DataInputStream(client.getInputStream());
            out = new DataOutputStream(new BufferedOutputStream(client.getOutputStream()));
        }

        void run() throws IOException {
            greet();
            while (true) {
                int type = in.read();
                if (type < 0 || type == 'X') {
                    return;
                }
                byte[] body = in.readNBytes(in.readInt() - 4);
                if (!failed || type == 'S') {
                    answer((char) type, new Message(body));
                }
            }
        }

        private void greet() throws IOException {
            byte[] start = in.readNBytes(in.readInt() - 4);
            int code = new Message(start).number();
            if (code == SSL_REQUEST || code == GSS_REQUEST) {
                out.write('N');
                out.flush();
                greet();
                return;
            }
            send('R', body -> body.writeInt(0));
            for (Map.Entry<String, String> each : parameters.entrySet()) {
                send(
                        'S',
                        body -> {
                            text(body, each.getKey());
                            text(body, each.getValue());
                        });
            }
            send(
                    'K',
                    body -> {
                        body.writeInt(1);
                        body.writeInt(1);
                    });
            ready();
        }

        private void answer(char type, Message message) throws IOException {
            switch (type) {
                case 'Q' -> {
                    Answer answer = find(message.text());
                    if (answer != null) {
                        if (!answer.columns.isEmpty()) {
                            describe(answer);
                        }
                        execute(answer);
                    }
                    ready();
                }
                case 'P' -> {
                    statements.put(message.text(), message.text());
                    send('1', _ -> {});
                }
                case 'B' -> {
                    message.text();
                    bound = statements.getOrDefault(message.text(), "");
                    send('2', _ -> {});
                }
                case 'D' -> {
                    boolean statement = message.type() == 'S';
                    Answer answer =
                            find(statement ? statements.getOrDefault(message.text(), "") : bound);
                    if (answer != null) {
                        if (statement) {
                            send('t', body -> body.writeShort(0));
                        }
                        describe(answer);
                    }
                }
                case 'E' -> {
                    Answer answer = find(bound);
                    if (answer != null) {
                        execute(answer);
                    }
                }
                case 'C' -> send('3', _ -> {});
                case 'S' -> ready();
                default -> out.flush();
            }
        }

        private @Nullable Answer find(String statement) throws IOException {
            Answer answer = answers.get(statement);
            if (answer == null) {
                unknown.add(statement);
                failed = true;
                send(
                        'E',
                        body -> {
                            text(body, "SERROR");
                            text(body, "C42601");
                            text(body, "Mnot rehearsed: " + statement);
                            body.writeByte(0);
                        });
            }
            return answer;
        }

        private void describe(Answer answer) throws IOException {
            if (answer.columns.isEmpty()) {
                send('n', _ -> {});
                return;
            }
            send(
                    'T',
                    body -> {
                        body.writeShort(answer.columns.size());
                        for (Column column : answer.columns) {
                            text(body, column.name);
                            body.writeInt(0);
                            body.writeShort(0);
                            body.writeInt(column.type);
                            body.writeShort(-1);
                            body.writeInt(-1);
                            body.writeShort(0);
                        }
                    });
        }

        private void execute(Answer answer) throws IOException {
            for (String row : answer.rows) {
                send('D', body -> row(body, row));
            }
            send('C', body -> text(body, answer.tag));
            switch (answer.tag) {
                case "BEGIN" -> inTransaction = true;
                case "COMMIT", "ROLLBACK" -> inTransaction = false;
                default -> {}
            }
        }

        private void ready() throws IOException {
            failed = false;
            send('Z', body -> body.writeByte(inTransaction ? 'T' : 'I'));
            out.flush();
        }

        private void send(char type, Body write) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            write.to(new DataOutputStream(bytes));
            out.writeByte(type);
            out.writeInt(4 + bytes.size());
            bytes.writeTo(out);
        }
    }

    private interface Body {
        void to(DataOutputStream out) throws IOException;
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.writeByte(0);
    }

    private static void row(DataOutputStream out, String row) throws IOException {
        String[] values = row.split("\t", -1);
        out.writeShort(values.length);
        for (String value : values) {
            if (value.equals("\\N")) {
                out.writeInt(-1);
            } else {
                byte[] bytes = value.replace("\\n", "\n").getBytes(StandardCharsets.UTF_8);
                out.writeInt(bytes.length);
                out.write(bytes);
            }
        }
    }

    /// Reads a message of the driver.
    private static final class Message {
        private final byte[] bytes;
        private int at;

        Message(byte[] bytes) {
            this.bytes = bytes;
        }

        char type() {
            return (char) bytes[at++];
        }

        int number() {
            return ByteBuffer.wrap(bytes).getInt(at);
        }

        String text() {
            int from = at;
            while (bytes[at] != 0) {
                at++;
            }
            return new String(bytes, from, at++ - from, StandardCharsets.UTF_8);
        }
    }
}
