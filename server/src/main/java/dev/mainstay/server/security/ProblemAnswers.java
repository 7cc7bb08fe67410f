package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.server.audit.AuditFilter;
import dev.mainstay.server.state.JsonMap;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.security.web.access.AccessDeniedHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// Refusals as problems (RFC 9457). Why a token is not valid is nobody's business.
final class ProblemAnswers implements AuthenticationEntryPoint, AccessDeniedHandler {
    private final AuditFilter audit;

    ProblemAnswers(AuditFilter audit) {
        this.audit = audit;
    }

    @Override
    public void commence(
            HttpServletRequest request,
            HttpServletResponse response,
            AuthenticationException refused)
            throws IOException {
        if (refused instanceof IssuerAway) {
            write(response, HttpServletResponse.SC_SERVICE_UNAVAILABLE, ErrorCode.ISSUER_AWAY);
            return;
        }
        audit.refuse(request, "401 " + ErrorCode.TOKEN_NEEDED.id());
        response.setHeader("WWW-Authenticate", "Bearer");
        write(response, HttpServletResponse.SC_UNAUTHORIZED, ErrorCode.TOKEN_NEEDED);
    }

    @Override
    public void handle(
            HttpServletRequest request, HttpServletResponse response, AccessDeniedException refused)
            throws IOException {
        audit.refuse(request, "403 " + ErrorCode.ROLE_LACKING.id());
        write(response, HttpServletResponse.SC_FORBIDDEN, ErrorCode.ROLE_LACKING);
    }

    private static String title(ErrorCode code) {
        return switch (code) {
            case TOKEN_NEEDED -> "no valid token";
            case ISSUER_AWAY -> "the token cannot be judged";
            case CLIENT_CERTIFICATE_NEEDED -> "no valid certificate of a client";
            case RATE_EXCEEDED -> "too many requests";
            case BODY_TOO_LARGE -> "the body is too large";
            default -> "not allowed";
        };
    }

    static void write(HttpServletResponse response, int status, ErrorCode code)
            throws IOException {
        Map<String, String> problem = new LinkedHashMap<>();
        problem.put("title", title(code));
        problem.put("code", code.id());
        problem.put("hint", code.hint());
        response.setStatus(status);
        response.setContentType("application/problem+json");
        response.getOutputStream()
                .write(JsonMap.write(problem).getBytes(StandardCharsets.UTF_8));
    }
}
