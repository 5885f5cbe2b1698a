export { GoTemplate, namesOf, pipelinesOf, visitPipeline } from './go-template.js';
export type { Branch, Expression, Node, Pipeline } from './syntax-tree.js';
export { fromJson, GoFloat, GoList, GoMap, GoStruct, type GoField, type GoValue } from './values.js';
