/**
 * Any JSON object (RFC 8259), in XGrammar's EBNF. White space and numbers have an end, so that a model cannot go on with them
 * for ever; the white space in front is what models write between their thinking and their answer.
 */
export const jsonObjectGrammar = String.raw`
root ::= [ \n\t]{0,4} object
object ::= "{" ws (member ("," ws member)*)? "}"
member ::= string ws ":" ws value ws
array ::= "[" ws (value ws ("," ws value ws)*)? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
ws ::= "" | " " | "\n" [ \t]{0,20}
`;
