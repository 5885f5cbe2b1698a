/**
 * What `/api/version` answers: the Ollama release whose API this server speaks, not the version of the package. Clients
 * compare it (three dotted integers, at least 0.6.4) to decide what they may ask for.
 */
export const ollamaCompatibleVersion = '0.33.0';
