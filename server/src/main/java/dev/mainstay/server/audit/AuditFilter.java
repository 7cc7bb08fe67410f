package dev.mainstay.server.audit;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.server.state.JsonMap;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.web.filter.OncePerRequestFilter;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Puts each request that may change something on record: that it begins, before anything is done,
/// and what came of it. Where the first cannot be written, nothing is done. Stands behind the rules
/// of who may do what; what these refuse is put on record by whoever answers it.
public final class AuditFilter extends OncePerRequestFilter {
    private static final Logger LOG = LoggerFactory.getLogger(AuditFilter.class);

    /// What an endpoint says it was done to, if the path does not tell.
    public static final String TARGET = "dev.mainstay.audit.target";

    private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");
    private static final Set<Integer> REFUSED =
            Set.of(
                    HttpServletResponse.SC_UNAUTHORIZED,
                    HttpServletResponse.SC_FORBIDDEN,
                    429);

    private final AuditTrail trail;
    private final Refusals refusals;
    private final Endpoints endpoints;

    public AuditFilter(AuditTrail trail, Refusals refusals, Endpoints endpoints) {
        this.trail = trail;
        this.refusals = refusals;
        this.endpoints = endpoints;
    }

    @Override
    protected void doFilterInternal(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (READING.contains(request.getMethod())) {
            chain.doFilter(request, response);
            if (REFUSED.contains(response.getStatus())) {
                refuse(request, Integer.toString(response.getStatus()));
            }
            return;
        }
        Endpoints.Asked asked = endpoints.of(request);
        if (!write(request, asked, "begun")) {
            problem(response, "nothing was done: the audit trail cannot be written");
            return;
        }
        boolean answered = false;
        try {
            chain.doFilter(request, response);
            answered = true;
        } finally {
            String outcome = answered ? Integer.toString(response.getStatus()) : "500";
            if (!write(request, asked, outcome) && !response.isCommitted()) {
                response.reset();
                problem(
                        response,
                        "done with status "
                                + outcome
                                + ", but the audit trail says only that it was begun");
            }
        }
    }

    /// Puts on record that a request was refused before anything was done.
    public void refuse(HttpServletRequest request, String outcome) {
        refusals.note(
                who(), request.getRemoteAddr(), endpoints.of(request).action(), outcome);
    }

    private static String who() {
        Authentication who = SecurityContextHolder.getContext().getAuthentication();
        return who == null || !who.isAuthenticated() ? "" : who.getName();
    }

    private boolean write(HttpServletRequest request, Endpoints.Asked asked, String outcome) {
        String target =
                request.getAttribute(TARGET) instanceof String told ? told : asked.target();
        try {
            trail.append(who(), request.getRemoteAddr(), asked.action(), target, outcome);
            return true;
        } catch (RuntimeException failed) {
            LOG.error("the audit trail cannot be written", failed);
            return false;
        }
    }

    private static void problem(HttpServletResponse response, String detail) throws IOException {
        Map<String, String> problem = new LinkedHashMap<>();
        problem.put("title", "the audit trail cannot be written");
        problem.put("detail", detail);
        problem.put("code", ErrorCode.AUDIT_UNWRITTEN.id());
        problem.put("hint", ErrorCode.AUDIT_UNWRITTEN.hint());
        response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        response.setContentType("application/problem+json");
        response.getOutputStream()
                .write(JsonMap.write(problem).getBytes(StandardCharsets.UTF_8));
    }
}
