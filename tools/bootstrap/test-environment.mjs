/**
 * Jest's environment for Node, in a context whose global object is an ordinary one. In the context that Jest makes, each look at a
 * global (`Math`, `Map`, `Number`) calls back into Node, which no optimization removes: simulations took twice as long in there.
 */
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

export default class OrdinaryGlobals extends TestEnvironment {
  constructor(...given) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(...given);
    } finally {
      vm.createContext = createContext;
    }
  }
}
