package dev.mainstay.server;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.AuditProof;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import java.util.Optional;

/// The audit trail for who runs no server: proved from the repository, and from the state where it
/// is at hand.
public final class ServerAudit {
    private ServerAudit() {}

    /// Whether the state of the configuration was compared with the repository.
    public enum State {
        COMPARED("the server's state"),
        /// There is none on this host.
        ABSENT("nothing: no server has its state here"),
        /// A server of this host has it, and no one else can look into it.
        IN_USE("nothing: the state is in use by the server that runs here");

        private final String text;

        State(String text) {
            this.text = text;
        }

        /// What the repository was compared with.
        @Override
        public String toString() {
            return text;
        }
    }

    /// What is proved.
    public record Proof(AuditProof.Report report, State state) {}

    /// @throws MainstayException what the repository says, or SERVER_STATE
    public static Proof prove(Surroundings surroundings, Repository repository) {
        ServerState where = surroundings.configuration().server().state();
        if (!StateDatabase.isThere(where)) {
            return new Proof(new AuditProof(repository, Optional.empty()).run(), State.ABSENT);
        }
        try (StateDatabase state = StateDatabase.open(where, surroundings.environment())) {
            AuditTrail trail =
                    new AuditTrail(
                                    JdbcClient.create(state.source()),
                                    new TransactionTemplate(
                                            new JdbcTransactionManager(state.source())),
                                    surroundings.ground(),
                                    ServerName.next(surroundings.ground()))
                            .begun();
            return new Proof(new AuditProof(repository, Optional.of(trail)).run(), State.COMPARED);
        } catch (MainstayException failed) {
            if (failed.code() != ErrorCode.SERVER_STATE_IN_USE) {
                throw failed;
            }
            return new Proof(new AuditProof(repository, Optional.empty()).run(), State.IN_USE);
        }
    }
}
