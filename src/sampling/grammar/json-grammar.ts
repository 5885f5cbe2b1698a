// JSON (RFC 8259) in XGrammar's EBNF. White space and numbers have an end, so that a model cannot go on with them for ever.

/** Names of the rules that other grammars build on. */
export const value = 'value';
export const whiteSpace = 'ws';

export const jsonRules = String.raw`object ::= "{" ws (member ("," ws member)*)? "}"
member ::= string ws ":" ws value ws
array ::= "[" ws (value ws ("," ws value ws)*)? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
ws ::= "" | " " | "\n" [ \t]{0,20}
`;

/** Any JSON object. The white space in front is what models write between their thinking and their answer. */
export const jsonObjectGrammar = `root ::= [ \\n\\t]{0,4} object\n${jsonRules}`;
