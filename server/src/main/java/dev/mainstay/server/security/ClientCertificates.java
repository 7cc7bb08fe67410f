package dev.mainstay.server.security;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.server.audit.AuditFilter;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.web.filter.OncePerRequestFilter;

import java.io.IOException;

/// Where connections without a certificate are taken at all, they are told of health and metrics
/// alone. A certificate is one more thing to have beside a token, and names nobody.
final class ClientCertificates extends OncePerRequestFilter {
    private static final String CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    private final boolean needed;
    private final AuditFilter audit;

    ClientCertificates(boolean needed, AuditFilter audit) {
        this.needed = needed;
        this.audit = audit;
    }

    @Override
    protected void doFilterInternal(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (needed && request.getAttribute(CERTIFICATES) == null && !Limits.isProbe(request)) {
            audit.refuse(request, "403 " + ErrorCode.CLIENT_CERTIFICATE_NEEDED.id());
            ProblemAnswers.write(
                    response,
                    HttpServletResponse.SC_FORBIDDEN,
                    ErrorCode.CLIENT_CERTIFICATE_NEEDED);
            return;
        }
        chain.doFilter(request, response);
    }
}
