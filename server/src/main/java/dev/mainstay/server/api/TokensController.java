package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.server.audit.AuditFilter;
import dev.mainstay.server.security.ApiToken;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import jakarta.servlet.http.HttpServletRequest;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// `/api/v1/tokens`
@RestController
public final class TokensController {
    private final TokenTable tokens;
    private final Surroundings surroundings;

    public TokensController(TokenTable tokens, Surroundings surroundings) {
        this.tokens = tokens;
        this.surroundings = surroundings;
    }

    @Schema(name = "Token")
    record View(
            String id,
            String name,
            String role,
            Instant created,
            @Nullable Instant expires,
            @Nullable List<String> sources) {
        static View of(ApiToken token) {
            return new View(
                    token.id(),
                    token.name(),
                    token.role().word(),
                    token.created(),
                    token.expires().orElse(null),
                    token.sources().map(each -> each.stream().sorted().toList()).orElse(null));
        }
    }

    @Schema(name = "TokenWanted")
    record Wanted(
            @Nullable String name,
            @Nullable String role,
            @Nullable Instant expires,
            @Nullable List<String> sources) {}

    /// @param text the token itself, which is shown this once
    @Schema(name = "NewToken")
    record New(View token, String text) {}

    @GetMapping("/api/v1/tokens")
    @LeastRole(Role.AUDITOR)
    @Operation(summary = "tokens, without their text")
    List<View> list() {
        return tokens.list().stream().map(View::of).toList();
    }

    @PostMapping("/api/v1/tokens")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "makes a token; its text is answered this once")
    @ResponseStatus(HttpStatus.CREATED)
    New issue(@RequestBody Wanted wanted, HttpServletRequest request) {
        String name = Optional.ofNullable(wanted.name()).orElse("").strip();
        if (name.isEmpty() || name.length() > 100) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "a token needs a name of up to 100 letters");
        }
        Role role;
        try {
            role = Role.parse(Optional.ofNullable(wanted.role()).orElse(""));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, String.valueOf(wrong.getMessage()), wrong);
        }
        TokenTable.Issued issued =
                tokens.issue(
                        name,
                        role,
                        Optional.ofNullable(wanted.expires()),
                        sources(wanted),
                        Caller.current().persons());
        request.setAttribute(
                AuditFilter.TARGET,
                issued.token()
                        + " "
                        + role.word()
                        + issued.token().sources().map(each -> " for " + each).orElse(""));
        return new New(View.of(issued.token()), issued.text().reveal());
    }

    private Optional<Set<String>> sources(Wanted wanted) {
        if (wanted.sources() == null) {
            return Optional.empty();
        }
        if (wanted.sources().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "a token is for one source at least, or, without 'sources', for all");
        }
        Set<String> sources = new TreeSet<>();
        for (@Nullable String each : wanted.sources()) {
            sources.add(surroundings.configuration().source(each == null ? "" : each).name());
        }
        return Optional.of(sources);
    }

    @DeleteMapping("/api/v1/tokens/{id}")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "revokes a token")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void revoke(@PathVariable String id) {
        tokens.revoke(id);
    }
}
